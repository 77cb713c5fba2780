"""Training of a large program: two years of cohorts, their sessions, and who came.

Each half of the cohorts goes through all educators once, 25 at a time: the first half last
year, the second this year, of which a quarter is still under way.
"""

COHORT_SIZE = 25

# Ids are computed as in bulk.py: cohort c is of educators 25 (c-1) + 1 and on, modulo all.
TRAINING = [
    """
    INSERT INTO training_course (id, program_id, name, hours, validity_months, grants)
    SELECT courses + n, %(program)s, name, hours, 24, 'visits'
    FROM base, (VALUES (1, 'Introduction', 3), (2, 'Refresher', 1.5)) AS v(n, name, hours)
    """,
    """
    INSERT INTO training_courserequirement (program_id, course_id, kind, amount)
    SELECT %(program)s, courses + n, 'every_part', 1 FROM base, generate_series(1, 2) AS n
    """,
    """
    INSERT INTO training_trainer (id, program_id, name, kind, is_active)
    SELECT trainers + n, %(program)s, (%(given)s::text[])[n] || ' ' || (%(family)s::text[])[n],
        CASE WHEN n %% 3 = 0 THEN 'parent' ELSE 'staff' END, true
    FROM base, generate_series(1, 12) AS n
    """,
    """
    CREATE TEMPORARY TABLE course_of ON COMMIT DROP AS
    SELECT c, c > %(cohorts)s / 2 AS again, c > %(cohorts)s - %(cohorts)s / 8 AS open,
        CASE WHEN c <= %(cohorts)s / 2 THEN %(last_year)s::date + 20 + c %% 200
            WHEN c <= %(cohorts)s - %(cohorts)s / 8 THEN %(this_year)s::date + c %% 90
            ELSE %(now)s::date + c %% 30 - 3 END AS day
    FROM generate_series(1, %(cohorts)s) AS c
    """,
    """
    INSERT INTO training_cohort (id, program_id, course_id, school_id, name, language, capacity,
        open_for_sign_up, cost, funding, enrolled, waiting, completed_at, completed_by_id)
    SELECT cohorts + c, %(program)s, courses + 1 + c %% 2,
        CASE WHEN c %% 3 = 0 THEN schools + 1 + c %% %(schools)s END, 'Cohort ' || c, 'en',
        %(size)s, open, CASE WHEN c %% 4 > 0 THEN 1000 + c END, 'Title I',
        CASE WHEN open THEN %(size)s - 1 ELSE %(size)s END, CASE WHEN open THEN 1 ELSE 0 END,
        CASE WHEN NOT open THEN day + interval '9 days' END,
        CASE WHEN NOT open THEN users + %(educators)s + 1 END
    FROM base, course_of
    """,
    """
    INSERT INTO training_cohorttrainer (program_id, cohort_id, trainer_id)
    SELECT %(program)s, cohorts + c, trainers + 1 + (c + n) %% 10
    FROM base, course_of, generate_series(1, 2) AS n
    """,
    """
    INSERT INTO training_trainingsession (id, program_id, cohort_id, part, starts_at, ends_at,
        place, link, sequence)
    SELECT sessions + 2 * (c - 1) + part, %(program)s, cohorts + c, part,
        day + 7 * part + interval '21 hours', day + 7 * part + interval '23 hours', 'Library', '', 0
    FROM base, course_of, generate_series(1, 2) AS part
    """,
    """
    CREATE TEMPORARY TABLE member_of ON COMMIT DROP AS
    SELECT c, again, open, day, m, %(size)s * (c - 1) + m AS n,
        1 + (%(size)s * (c - 1) + m - 1) %% %(educators)s AS e
    FROM course_of, generate_series(1, %(size)s) AS m
    """,
    """
    INSERT INTO training_cohortmember (id, program_id, cohort_id, educator_id, state, joined_at,
        left_because)
    SELECT members + n, %(program)s, cohorts + c, educators + e,
        CASE WHEN open AND m = %(size)s THEN 'waiting' ELSE 'enrolled' END, day - interval '9 days',
        ''
    FROM base, member_of
    """,
    """
    INSERT INTO training_attendance (program_id, session_id, educator_id, member_id, state, minutes,
        recorded_at, recorded_by_id)
    SELECT %(program)s, sessions + 2 * (c - 1) + part, educators + e, members + n, state,
        CASE state WHEN 'partial' THEN 60 END,
        CASE WHEN state <> 'expected' THEN day + 7 * part + interval '1 day' END,
        CASE WHEN state <> 'expected' THEN users + %(educators)s + 1 END
    FROM base, member_of, generate_series(1, 2) AS part,
        LATERAL (SELECT CASE WHEN open THEN 'expected' WHEN n %% 25 = 0 THEN 'absent'
            WHEN n %% 31 = 0 THEN 'partial' ELSE 'attended' END AS state) AS came
    WHERE NOT open OR m < %(size)s
    """,
    # Who may visit: every 25th was never trained, every tenth was trained first this year; the
    # others have been for up to `spread` days longer or shorter, every third for the second time.
    """
    INSERT INTO training_certification (program_id, educator_id, course_id, member_id, issued_on,
        expires_on, issued_at, issued_by_id, revoked_because, code, evidence)
    SELECT %(program)s, educators + e, courses + 1 + again::int,
        CASE WHEN fresh AND NOT again THEN members + %(educators)s + e END, day,
        day + 729, %(now)s, users + %(educators)s + 1, '',
        translate(upper(left(md5(random()::text || educators + e), 26)), '0189', 'WXYZ'),
        CASE WHEN again THEN 'Binder' ELSE '' END
    FROM base, generate_series(1, %(educators)s) AS e, generate_series(0, 1) AS before,
        LATERAL (SELECT before = 1 AS again, %(spread)s > 0 AND e %% 10 = 7 AS fresh) AS how,
        LATERAL (SELECT CASE WHEN fresh THEN %(this_year)s::date + e %% 60
            ELSE %(last_year)s::date + %(spread)s / 2 - e * 37 %% (%(spread)s + 1)
                - 730 * before END AS day) AS days
    WHERE e %% 25 <> 0 AND (before = 0 OR e %% 3 = 0 AND NOT fresh)
    """,
]
