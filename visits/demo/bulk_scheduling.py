"""The part of a large program that scheduling needs: hours, pairs and interpreters.

Written beside what is there already, so that a program made before these were thought of gets
them too. What of it grows: hours of every educator, and an interpreter at each visit to a family
that wants one, and at all to come where the family speaks no English.
"""

SCHEDULING = [
    # Four afternoons a week of each educator, not the same of all.
    """
    INSERT INTO visits_availability (program_id, educator_id, weekday, starts, ends)
    SELECT %(program)s, id, weekday, '15:30', '19:30'
    FROM pthv_educator, generate_series(0, 4) AS weekday
    WHERE program_id = %(program)s AND (id + weekday) %% 5 <> 0
    """,
    # Ten pairs of a school's 25 educators; the last said no.
    """
    WITH person AS (
        SELECT educator.id, held.school_id,
            row_number() OVER (PARTITION BY held.school_id ORDER BY educator.id) - 1 AS n
        FROM pthv_educator AS educator JOIN pthv_membership AS held
            ON held.user_id = educator.user_id AND held.program_id = educator.program_id
        WHERE educator.program_id = %(program)s AND held.role = 'educator'
    ), team AS (
        INSERT INTO visits_visitteam (program_id, school_id, stands)
        SELECT %(program)s, school_id, true FROM person WHERE n < 20 AND n %% 2 = 0
        RETURNING id, school_id
    ), pair AS (
        SELECT id, school_id, row_number() OVER (PARTITION BY school_id ORDER BY id) - 1 AS n
        FROM team
    )
    INSERT INTO visits_teammember (program_id, team_id, educator_id, is_lead, answer, answered_at)
    SELECT %(program)s, pair.id, person.id, person.n %% 2 = 0,
        CASE person.n WHEN 19 THEN 'declined' ELSE 'agreed' END, %(now)s
    FROM pair JOIN person ON person.school_id = pair.school_id AND person.n / 2 = pair.n
    WHERE person.n < 20
    """,
    # Ten interpreters of each language.
    """
    INSERT INTO visits_interpreter (program_id, kind, given_name, family_name, email, phone,
        languages, willing, hourly_rate, position, adult_confirmed_at, adult_confirmed_by_id)
    SELECT %(program)s, (ARRAY['staff', 'outside'])[1 + n %% 2], (%(given)s::text[])[1 + n %% 15],
        (%(family)s::text[])[1 + n %% 24], 'interpreter' || n || '.' || %(program)s
            || '@large.example', '',
        ARRAY[(ARRAY['es', 'vi', 'so'])[1 + n %% 3]], true, 30, n, %(now)s,
        (SELECT min(user_id) FROM pthv_membership
            WHERE program_id = %(program)s AND role = 'program_coordinator')
    FROM generate_series(1, 30) AS n
    """,
    # Of those to come a third still looks for somebody, or in vain.
    """
    WITH wanted AS (
        SELECT visit.id, visit.during, visit.scheduled_at, visit.scheduled_by_id, family.language,
            visit.state = 'completed' OR visit.id %% 3 > 0 AS found,
            row_number() OVER (PARTITION BY family.language, during ORDER BY visit.id) AS n
        FROM visits_visit AS visit JOIN families_family AS family ON family.id = visit.family_id
        WHERE visit.program_id = %(program)s AND visit.occupies AND family.language <> 'en'
            AND (visit.state = 'confirmed'
                OR visit.state = 'completed' AND family.interpreter_wanted)
    ), rota AS (
        SELECT id, hourly_rate, languages[1] AS language,
            row_number() OVER (PARTITION BY languages[1] ORDER BY position) AS n
        FROM visits_interpreter WHERE program_id = %(program)s
    )
    INSERT INTO visits_interpreterrequest (program_id, visit_id, bound_id, during, occupies,
        language, state, interpreter_id, hourly_rate, requested_at, requested_by_id, covered_at)
    SELECT %(program)s, wanted.id, wanted.id, during, true, wanted.language,
        CASE WHEN rota.id IS NOT NULL THEN 'covered'
            WHEN wanted.id %% 2 = 0 THEN 'no_resource' ELSE 'pending' END,
        rota.id, rota.hourly_rate, scheduled_at, scheduled_by_id,
        CASE WHEN rota.id IS NOT NULL THEN scheduled_at END
    FROM wanted LEFT JOIN rota
        ON found AND rota.language = wanted.language AND rota.n = wanted.n
    """,
    """
    INSERT INTO visits_interpreterask (program_id, request_id, interpreter_id, nonce, token_hash,
        asked_at, answer, answered_at)
    SELECT %(program)s, request.id, rota.id, 'i' || request.id,
        md5('c' || request.id) || md5('d' || request.id), requested_at,
        CASE state WHEN 'covered' THEN 'accepted' WHEN 'pending' THEN 'waiting'
            ELSE 'declined' END,
        CASE WHEN state <> 'pending' THEN requested_at END
    FROM visits_interpreterrequest AS request JOIN LATERAL (
        SELECT id FROM visits_interpreter
        WHERE program_id = %(program)s AND languages = ARRAY[language]
            AND (interpreter_id IS NULL OR id = interpreter_id)
        ORDER BY position LIMIT 1
    ) AS rota ON true
    WHERE request.program_id = %(program)s
    """,
]
