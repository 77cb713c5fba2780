"""Large programs for measuring, written by the database itself in a few statements.

Each program has 10,000 students in 6,000 families, 500 educators at 20 schools, 400
classes, and two years of visits: 20,000, of which 19,000 are completed and paid. One more
has nobody to visit yet, and 5,000 educators in 400 cohorts. Rows are what the actions would
leave behind; triggers and foreign keys rest meanwhile, and the totals are counted once at
the end.
"""

import datetime
from collections.abc import Callable

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

from pthv.models import Program
from visits.models import Availability

from .bulk_scheduling import SCHEDULING
from .bulk_training import COHORT_SIZE, TRAINING
from .people import PASSWORD

STUDENTS, FAMILIES, EDUCATORS, SCHOOLS, CLASSES = 10_000, 6_000, 500, 20, 400
COHORTS = 2 * EDUCATORS // COHORT_SIZE
TRAINING_PROGRAM = "training"
Sizes = dict[str, int | str]
LARGE: Sizes = {"educators": EDUCATORS, "schools": SCHOOLS, "cohorts": COHORTS, "spread": 0}
LARGE_TRAINING: Sizes = {
    "number": "t", "educators": 5000, "schools": 100, "cohorts": 400, "spread": 600,
}  # fmt: skip
GIVEN = ("Mateo Lucía Jada Elijah An Linh Amina Zakaria Nkauj Teng Nour Adam Yi Hao Inês").split()
FAMILY = (
    "Ramírez Johnson Nguyễn Abdi Vang Khoury Chen Silva Tesfaye Baptiste Reyes O’Brien "
    "Ortega Baker Trần Warsame Xiong Saleh Wang Barros Bekele Toussaint Santos Núñez"
).split()


def build(programs: int, now: datetime.datetime, *, say: Callable[[str], object]) -> None:
    """Add so many programs of 10,000 students, and the one that trains, as of `now`."""
    password = make_password(PASSWORD)
    if not Program.objects.filter(slug=TRAINING_PROGRAM).exists():
        program = Program.objects.create(name="Large training", slug=TRAINING_PROGRAM, is_demo=True)
        sizes: dict[str, int | str] = {
            "number": "t",
            "educators": 5000,
            "schools": 100,
            "cohorts": 400,
            "spread": 600,
        }
        _write([*PEOPLE, *TRAINING], program, now, password, sizes)
    present = Program.objects.filter(slug__startswith="large-").count()
    for number in range(present + 1, present + programs + 1):
        program = Program.objects.create(
            name=f"Large district {number}", slug=f"large-{number}", is_demo=True
        )
        _write(
            [*PEOPLE, *TRAINING, *VISITS, *ASKING],
            program,
            now,
            password,
            LARGE | {"number": number},
        )
        if number % 10 == 0 or number == present + programs:
            say(f"{number} large programs …")
    _move_on()
    _schedule(now)


def _schedule(now: datetime.datetime) -> None:
    """Give the large programs hours, pairs and interpreters that have none yet."""
    scheduled = Availability.objects.with_scopes_disabled().values("program")
    large = Program.objects.filter(slug__startswith="large-").exclude(pk__in=scheduled)
    for program in large:
        _write(SCHEDULING, program, now, "", LARGE)
    if large:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


@transaction.atomic
def _write(
    statements: list[str],
    program: Program,
    now: datetime.datetime,
    password: str,
    sizes: Sizes,
) -> None:
    today = now.date()
    august = datetime.date(today.year if today.month >= 8 else today.year - 1, 8, 1)
    facts = {
        "program": program.pk,
        "now": now,
        "this_year": august,
        "last_year": august.replace(year=august.year - 1),
        "password": password,
        "given": GIVEN,
        "family": FAMILY,
        "students": STUDENTS,
        "families": FAMILIES,
        "classes": CLASSES,
        "size": COHORT_SIZE,
        **sizes,
    }
    with connection.cursor() as cursor:
        # Needs a role that may do so: the embedded PostgreSQL's, or a measuring machine's.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL synchronous_commit = off")
        for statement in statements:
            cursor.execute(statement, facts)


# Ids are computed, not looked up: `base` keeps the highest id of each kind there was.
# Family f of a program goes to school (f-1) % 20, where teacher (f-1) % 400 asks it as her
# number q = (f-1) / 400; teachers next to each other visit together, at different hours.
PEOPLE = [
    """
    CREATE TEMPORARY TABLE base ON COMMIT DROP AS SELECT
        (SELECT coalesce(max(id), 0) FROM pthv_user) AS users,
        (SELECT coalesce(max(id), 0) FROM pthv_educator) AS educators,
        (SELECT coalesce(max(id), 0) FROM pthv_school) AS schools,
        (SELECT coalesce(max(id), 0) FROM pthv_schoolyear) AS years,
        (SELECT coalesce(max(id), 0) FROM families_schoolclass) AS classes,
        (SELECT coalesce(max(id), 0) FROM families_family) AS families,
        (SELECT coalesce(max(id), 0) FROM families_student) AS students,
        (SELECT coalesce(max(id), 0) FROM training_course) AS courses,
        (SELECT coalesce(max(id), 0) FROM training_trainer) AS trainers,
        (SELECT coalesce(max(id), 0) FROM training_cohort) AS cohorts,
        (SELECT coalesce(max(id), 0) FROM training_trainingsession) AS sessions,
        (SELECT coalesce(max(id), 0) FROM training_cohortmember) AS members,
        (SELECT coalesce(max(id), 0) FROM visits_visitteam) AS teams,
        (SELECT coalesce(max(id), 0) FROM visits_selectionplan) AS plans,
        (SELECT coalesce(max(id), 0) FROM visits_invitation) AS invitations,
        (SELECT coalesce(max(id), 0) FROM visits_visit) AS visits,
        (SELECT coalesce(max(id), 0) FROM visits_payrate) AS rates,
        (SELECT coalesce(max(id), 0) FROM visits_fundingsource) AS funds,
        (SELECT coalesce(max(id), 0) FROM visits_paybatch) AS batches
    """,
    # People: 500 educators, then a program coordinator, finance, a funder, a site coordinator.
    """
    INSERT INTO pthv_user (id, password, is_superuser, email, given_name, family_name,
        is_active, is_staff, is_demo, joined_at)
    SELECT users + i, CASE WHEN i = 1 OR i > %(educators)s THEN %(password)s ELSE '!' END, false,
        CASE i - %(educators)s WHEN 1 THEN 'program' WHEN 2 THEN 'finance' WHEN 3 THEN 'funder'
            WHEN 4 THEN 'site' ELSE 'educator' || i END || '.' || %(number)s || '@large.example',
        (%(given)s::text[])[1 + i %% 15], (%(family)s::text[])[1 + i %% 24],
        true, false, true, %(now)s
    FROM base, generate_series(1, %(educators)s + 4) AS i
    """,
    """
    INSERT INTO pthv_school (id, program_id, name, source_id, contract_day_starts,
        contract_day_ends)
    SELECT schools + i, %(program)s, 'School ' || i, 'O' || i, '07:45', '15:15'
    FROM base, generate_series(1, %(schools)s) AS i
    """,
    """
    INSERT INTO pthv_schoolyear (id, program_id, name, starts_on, ends_on)
    SELECT years + 1, %(program)s, 'last year', %(last_year)s, %(this_year)s::date - 1 FROM base
    UNION ALL
    SELECT years + 2, %(program)s, 'this year', %(this_year)s, %(this_year)s::date + 364 FROM base
    """,
    """
    INSERT INTO pthv_educator (id, program_id, user_id, source_id, languages)
    SELECT educators + i, %(program)s, users + i, 'T' || i, '{en,es}'
    FROM base, generate_series(1, %(educators)s) AS i
    """,
    """
    INSERT INTO pthv_membership (program_id, user_id, role, school_id, starts_on)
    SELECT %(program)s, users + i,
        CASE i - %(educators)s WHEN 1 THEN 'program_coordinator' WHEN 2 THEN 'finance'
            WHEN 3 THEN 'partner' WHEN 4 THEN 'site_coordinator' ELSE 'educator' END,
        CASE WHEN i <= %(educators)s THEN schools + 1 + (i - 1) %% %(schools)s
            WHEN i = %(educators)s + 4 THEN schools + 1 END,
        %(last_year)s
    FROM base, generate_series(1, %(educators)s + 4) AS i
    """,
]
VISITS = [
    # Who is invited.
    """
    INSERT INTO families_schoolclass (id, program_id, school_id, school_year_id, source_id, title)
    SELECT classes + i, %(program)s, schools + 1 + (i - 1) %% 20, years + 2, 'C' || i,
        'Grade ' || 1 + (i - 1) / 80 || ' ' || chr(65 + ((i - 1) / 20 %% 4))
    FROM base, generate_series(1, %(classes)s) AS i
    """,
    """
    INSERT INTO families_classteacher (program_id, school_class_id, educator_id, is_primary)
    SELECT %(program)s, classes + i, educators + i, true
    FROM base, generate_series(1, %(classes)s) AS i
    """,
    """
    INSERT INTO families_family (id, program_id, source_id, surnames, language, interpreter_wanted)
    SELECT families + f, %(program)s, 'H' || f, (%(family)s::text[])[1 + (f * 7) %% 24],
        (ARRAY['en', 'es', 'vi', 'so'])[1 + f %% 4], f %% 10 = 0
    FROM base, generate_series(1, %(families)s) AS f
    """,
    """
    INSERT INTO families_caregiver (program_id, family_id, source_id, given_name, family_name,
        relation, phone, email, language, preferred_channel, may_be_contacted)
    SELECT %(program)s, families + f, 'P' || f || '-' || n, (%(given)s::text[])[1 + (f + n) %% 15],
        (%(family)s::text[])[1 + (f * 7) %% 24], CASE n WHEN 1 THEN 'mother' ELSE 'father' END,
        '+1312555' || lpad((f %% 10000)::text, 4, '0'), '', 'en', 'call', true
    FROM base, generate_series(1, %(families)s) AS f, generate_series(1, 1 + f %% 2) AS n
    """,
    """
    INSERT INTO families_student (id, program_id, school_id, family_id, source_id, given_name,
        family_name, preferred_name, grade)
    SELECT students + s, %(program)s, schools + 1 + f %% 20, families + 1 + f, 'S' || s,
        (%(given)s::text[])[1 + (s * 11) %% 15], (%(family)s::text[])[1 + ((f + 1) * 7) %% 24], '',
        (1 + f %% 400 / 80)::text
    FROM base, generate_series(1, %(students)s) AS s, LATERAL (SELECT (s - 1) %% 6000 AS f) AS of
    """,
    """
    INSERT INTO families_enrollment (program_id, school_class_id, student_id)
    SELECT %(program)s, classes + 1 + (s - 1) %% 6000 %% 400, students + s
    FROM base, generate_series(1, %(students)s) AS s
    """,
    """
    INSERT INTO visits_visitteam (id, program_id, school_id)
    SELECT teams + i, %(program)s, schools + 1 + (i - 1) %% 20
    FROM base, generate_series(1, %(classes)s) AS i
    """,
    """
    INSERT INTO visits_teammember (program_id, team_id, educator_id, is_lead)
    SELECT %(program)s, teams + i,
        educators + CASE WHEN n = 1 THEN i WHEN (i - 1) / 20 %% 2 = 0 THEN i + 20 ELSE i - 20 END,
        n = 1
    FROM base, generate_series(1, %(classes)s) AS i, generate_series(1, 2) AS n
    """,
    """
    INSERT INTO visits_selectionplan (id, program_id, school_id, school_year_id, kind,
        school_class_id, grade, made_at, made_by_id, students_without_family,
        families_said_no_before)
    SELECT plans + i, %(program)s, schools + 1 + (i - 1) %% 20, years + 2, 'everyone', classes + i,
        '', %(now)s, users + %(educators)s + 1, 0, 0
    FROM base, generate_series(1, %(classes)s) AS i
    UNION ALL
    SELECT plans + 400 + i, %(program)s, schools + i, years + 1, 'everyone', NULL, '', %(now)s,
        users + %(educators)s + 1, 0, 0
    FROM base, generate_series(1, %(schools)s) AS i
    """,
    # Four rounds: last year's first and second visits, this year's first and second ones.
    """
    CREATE TEMPORARY TABLE round ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY r, f) AS n, r, f, q, j, lead,
        lead + CASE WHEN j %% 2 = 0 THEN 20 ELSE -20 END AS partner,
        CASE WHEN r < 4 AND q < 13 OR r < 3 OR r = 4 THEN 'completed'
            WHEN q = 13 AND j < 10 THEN 'confirmed' WHEN q = 13 THEN 'held' ELSE '' END AS visit,
        %(now)s::date
            + CASE r WHEN 1 THEN -460 + 7 * q WHEN 2 THEN -250 + 7 * q WHEN 4 THEN -28 + 3 * q
                WHEN 3 THEN CASE WHEN q = 13 AND j < 10 THEN 1 + j ELSE -100 + 7 * q END END
            + CASE WHEN r = 4 THEN interval '20 hours' ELSE interval '23 hours' END
            + CASE WHEN j %% 2 = 0 THEN interval '0' ELSE interval '70 minutes' END AS starts
    FROM (SELECT r, f, (f - 1) / 400 AS q, (f - 1) / 20 %% 20 AS j, 1 + (f - 1) %% 400 AS lead
        FROM generate_series(1, 4) AS r, generate_series(1, %(families)s) AS f) AS each
    WHERE r < 4 OR q < 6
    """,
    """
    INSERT INTO visits_invitation (id, program_id, plan_id, school_id, school_year_id, family_id,
        kind, educator_id, team_id, state, asked_at, answered_at, answered_by_id, later_on,
        visited_at)
    SELECT invitations + n, %(program)s,
        CASE r WHEN 1 THEN plans + 401 + (f - 1) %% 20 WHEN 3 THEN plans + lead END,
        schools + 1 + (f - 1) %% 20, years + CASE WHEN r < 3 THEN 1 ELSE 2 END, families + f,
        CASE WHEN r IN (1, 3) THEN 'first' ELSE 'second' END, educators + lead,
        CASE WHEN visit <> '' THEN teams + lead END, state,
        CASE WHEN state <> 'not_asked' THEN asked END,
        CASE WHEN state IN ('accepted', 'declined', 'later') THEN asked END,
        CASE WHEN state IN ('accepted', 'declined', 'later') THEN users + lead END,
        CASE WHEN state = 'later' THEN %(now)s::date + 30 END,
        CASE WHEN visit = 'completed' THEN starts + interval '3 hours' END
    FROM base, round, LATERAL (SELECT starts - interval '9 days' AS asked,
        CASE WHEN visit <> '' THEN 'accepted' ELSE (ARRAY['not_asked', 'not_asked', 'asked',
            'declined', 'later', 'unreachable'])[1 + f %% 6] END AS state) AS asking
    """,
    """
    INSERT INTO visits_contactattempt (program_id, invitation_id, channel, outcome, made_at,
        made_by_id)
    SELECT %(program)s, invitations + n, 'call', 'reached', starts - interval '9 days',
        users + lead
    FROM base, round WHERE visit <> ''
    """,
    """
    INSERT INTO visits_visit (id, program_id, invitation_id, school_id, family_id, kind, place,
        during, state, occupies, scheduled_at, scheduled_by_id, confirmed_at, confirmed_by_id,
        held_at, held_by_id, completed_at)
    SELECT visits + n, %(program)s, invitations + n, schools + 1 + (f - 1) %% 20, families + f,
        CASE WHEN r IN (1, 3) THEN 'first' ELSE 'second' END, 'home',
        tstzrange(starts, starts + interval '1 hour'), visit, true, starts - interval '8 days',
        users + lead, starts - interval '7 days', users + partner,
        CASE WHEN visit <> 'confirmed' THEN starts + interval '1 hour' END,
        CASE WHEN visit <> 'confirmed' THEN users + lead END,
        CASE WHEN visit = 'completed' THEN starts + interval '3 hours' END
    FROM base, round WHERE visit <> ''
    """,
    """
    INSERT INTO visits_visitparticipant (program_id, visit_id, educator_id, role, during, occupies,
        attested_at)
    SELECT %(program)s, visits + n,
        educators + CASE role WHEN 'lead' THEN lead ELSE partner END, role,
        tstzrange(starts, starts + interval '1 hour'), true,
        CASE WHEN visit = 'completed' THEN starts + interval '3 hours' END
    FROM base, round, unnest(ARRAY['lead', 'partner']) AS role WHERE visit <> ''
    """,
    """
    INSERT INTO visits_visitstudent (program_id, visit_id, student_id)
    SELECT %(program)s, visits + n, students + s
    FROM base, round, unnest(ARRAY[f, f + 6000]) AS s WHERE visit <> '' AND s <= %(students)s
    """,
    """
    INSERT INTO visits_visitlog (program_id, visit_id, minutes, language, adults_present,
        student_present, hopes, strengths, class_change, logged_at, logged_by_id)
    SELECT %(program)s, visits + n, 40, 'en', 1, true, 'That they keep asking questions.',
        'Builds radios', 'Bring radios into science', starts + interval '1 hour', users + lead
    FROM base, round WHERE visit = 'completed'
    """,
    """
    INSERT INTO visits_reflection (program_id, visit_id, educator_id, assumed, learned, will_do,
        shared_with_debrief, written_at)
    SELECT %(program)s, visits + n, educators + educator, '', 'They read every note we send.', '',
        false, starts + interval '2 hours'
    FROM base, round, unnest(ARRAY[lead, partner]) AS educator WHERE visit = 'completed'
    """,
    """
    INSERT INTO visits_followup (program_id, visit_id, owner_id, promise, due_on, kept_at,
        kept_by_id, outcome)
    SELECT %(program)s, visits + n, educators + lead, 'Send the library card form',
        (starts + interval '14 days')::date,
        CASE WHEN r < 3 THEN starts + interval '9 days' END, CASE WHEN r < 3 THEN users + lead END,
        CASE WHEN r < 3 THEN 'kept' ELSE '' END
    FROM base, round WHERE visit = 'completed' AND f %% 5 = 0
    """,
    # Pay: all of last year and this year's older visits went to payroll in 20 batches.
    """
    INSERT INTO visits_payrate (id, program_id, kind, amount, starts_on)
    SELECT rates + n, %(program)s, kind, 40, %(last_year)s::date - 365
    FROM base, unnest(ARRAY['first', 'second']) WITH ORDINALITY AS t(kind, n)
    """,
    """
    INSERT INTO visits_fundingsource (id, program_id, name, budget, used, starts_on, ends_on)
    SELECT funds + 1, %(program)s, 'Title I', 5000000, 0, %(last_year)s::date - 365,
        %(this_year)s::date + 333
    FROM base
    """,
    """
    INSERT INTO visits_paybatch (id, program_id, number, line_count, dollars, made_at, made_by_id)
    SELECT batches + n, %(program)s, n, 0, 0, %(now)s, users + %(educators)s + 2
    FROM base, generate_series(1, 20) AS n
    """,
    """
    INSERT INTO visits_payline (program_id, visit_id, school_id, educator_id, payee_id, rate_id,
        amount, visit_on, flag, fund_id, state, earned_at, approved_at, approved_by_id, batch_id,
        reason)
    SELECT %(program)s, visits + n, schools + 1 + (f - 1) %% 20, educators + educator,
        users + educator, rates + CASE WHEN r IN (1, 3) THEN 1 ELSE 2 END, 40, starts::date,
        CASE WHEN state = 'earned' AND f %% 40 = 0 THEN 'Logged more than two weeks later.'
            ELSE '' END,
        CASE WHEN state <> 'earned' THEN funds + 1 END, state, starts + interval '3 hours',
        CASE WHEN state <> 'earned' THEN starts + interval '9 days' END,
        CASE WHEN state <> 'earned' THEN users + %(educators)s + 2 END,
        CASE WHEN state = 'batched' THEN batches + 1 + (r - 1) * 5 + q / 3 END, ''
    FROM base, round, unnest(ARRAY[lead, partner]) AS educator,
        LATERAL (SELECT CASE WHEN r < 4 OR q < 3 THEN 'batched' WHEN q < 5 THEN 'approved'
            ELSE 'earned' END AS state) AS paid
    WHERE visit = 'completed'
    """,
    """
    INSERT INTO pthv_auditentry (program_id, event, subject_type, subject_id, by_id, at, facts)
    SELECT %(program)s, 'visit.completed', 'visit', visits + n, users + lead,
        starts + interval '3 hours', '{}'
    FROM base, round WHERE visit = 'completed'
    """,
    """
    UPDATE visits_paybatch b SET line_count = l.lines, dollars = l.dollars
    FROM (SELECT batch_id, count(*) AS lines, sum(amount) AS dollars FROM visits_payline
        WHERE program_id = %(program)s GROUP BY 1) AS l
    WHERE b.id = l.batch_id
    """,
    """
    UPDATE visits_fundingsource SET used = (SELECT sum(amount) FROM visits_payline
        WHERE program_id = %(program)s AND state <> 'earned')
    WHERE program_id = %(program)s
    """,
    # The totals, since their triggers rest.
    """
    INSERT INTO families_schooltally (program_id, school_id, enrolled)
    SELECT program_id, school_id, count(*) FROM families_student
    WHERE program_id = %(program)s AND left_on IS NULL GROUP BY 1, 2
    """,
    """
    INSERT INTO visits_tally (program_id, school_year_id, school_id, educator_id, planned, asked,
        accepted, visited, second)
    SELECT program_id, school_year_id, school_id, educator_id,
        count(*) FILTER (WHERE kind = 'first'),
        count(*) FILTER (WHERE kind = 'first' AND state <> 'not_asked'),
        count(*) FILTER (WHERE kind = 'first' AND state = 'accepted'),
        count(*) FILTER (WHERE kind = 'first' AND visited_at IS NOT NULL),
        count(*) FILTER (WHERE kind = 'second' AND visited_at IS NOT NULL)
    FROM visits_invitation WHERE program_id = %(program)s GROUP BY 1, 2, 3, 4
    """,
]
# How they were asked and what they answered: of this year's first visits by text, by link.
ASKING = [
    """
    INSERT INTO visits_invitationanswer (program_id, invitation_id, answer, later_on, given_at,
        recorded_by_id)
    SELECT program_id, id, state, later_on, answered_at, answered_by_id
    FROM visits_invitation
    WHERE program_id = %(program)s AND state IN ('accepted', 'declined', 'later')
    """,
    """
    CREATE TEMPORARY TABLE asked ON COMMIT DROP AS
    SELECT i.id, i.state, i.asked_at, i.educator_id, c.id AS caregiver, c.phone
    FROM visits_invitation i
    JOIN pthv_schoolyear y ON y.id = i.school_year_id AND y.ends_on >= %(now)s::date
    JOIN LATERAL (SELECT id, phone FROM families_caregiver
        WHERE family_id = i.family_id ORDER BY id LIMIT 1) AS c ON true
    WHERE i.program_id = %(program)s AND i.kind = 'first' AND i.state <> 'not_asked'
    """,
    """
    INSERT INTO visits_familylink (program_id, invitation_id, caregiver_id, nonce, token_hash,
        made_at, expires_at)
    SELECT %(program)s, id, caregiver, 'n' || id, md5('a' || id) || md5('b' || id), asked_at,
        %(now)s + interval '60 days'
    FROM asked
    """,
    """
    INSERT INTO pthv_message (program_id, kind, key, channel, address, subject, body, calendar,
        calendar_method, state, attempts, queued_at, next_try_at, sent_at, about, recipient,
        language, quiet, link_nonce, problem)
    SELECT %(program)s, 'invitation', 'invitation:' || id || ':0:' || caregiver, 'text', phone, '',
        'Ana and Ben of Lincoln School would like to visit you. Your answer: {link}', '', '',
        CASE WHEN id %% 300 = 0 THEN 'bounced' ELSE 'sent' END, 1, asked_at, asked_at, asked_at,
        'invitation:' || id, 'caregiver:' || caregiver, 'en', true, 'n' || id,
        CASE WHEN id %% 300 = 0 THEN 'refused' ELSE '' END
    FROM asked
    """,
    """
    INSERT INTO visits_contactattempt (program_id, invitation_id, caregiver_id, channel, outcome,
        made_at, message_id)
    SELECT m.program_id, a.id, a.caregiver, 'text', 'sent', a.asked_at, m.id
    FROM asked AS a JOIN pthv_message AS m
        ON m.program_id = %(program)s AND m.about = 'invitation:' || a.id
    """,
]
# Tables whose ids were computed, so that their sequences have to be moved on.
COUNTED = (
    "pthv_user pthv_school pthv_schoolyear pthv_educator families_schoolclass "
    "families_family families_student training_course training_trainer training_cohort "
    "training_trainingsession training_cohortmember visits_visitteam visits_selectionplan "
    "visits_invitation visits_visit visits_payrate visits_fundingsource visits_paybatch"
).split()


def _move_on() -> None:
    """Set the sequences after the computed ids, and let the planner see the new sizes."""
    with connection.cursor() as cursor:
        for table in COUNTED:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )
        cursor.execute("VACUUM ANALYZE")
