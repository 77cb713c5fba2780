"""What the new columns hold for what was there: members, parts, requirements, codes."""

from django.db import migrations

CODES = """
    CREATE FUNCTION pg_temp.new_code() RETURNS varchar LANGUAGE sql VOLATILE AS $$
        SELECT string_agg(
            -- The first byte of such an id is all chance; a letter takes five bits of it.
            substr(
                'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
                1 + (get_byte(uuid_send(gen_random_uuid()), 0) & 31), 1
            ), ''
        ) FROM generate_series(1, 26)
    $$;
    -- Nobody changed these rows: their history says nothing of it.
    ALTER TABLE training_certification DISABLE TRIGGER USER;
    UPDATE training_certification SET code = pg_temp.new_code() WHERE code IS NULL;
    ALTER TABLE training_certification ENABLE TRIGGER USER;
    ALTER TABLE training_certificationhistoryevent DISABLE TRIGGER USER;
    UPDATE training_certificationhistoryevent SET code = '' WHERE code IS NULL;
    ALTER TABLE training_certificationhistoryevent ENABLE TRIGGER USER;
"""
MEMBERS = """
    INSERT INTO training_cohortmember
        (program_id, cohort_id, educator_id, state, joined_at, left_because)
    SELECT attendance.program_id, session.cohort_id, attendance.educator_id, 'enrolled', now(), ''
    FROM training_attendance AS attendance
    JOIN training_trainingsession AS session ON session.id = attendance.session_id
    GROUP BY 1, 2, 3;
    UPDATE training_attendance AS attendance SET member_id = member.id
    FROM training_cohortmember AS member, training_trainingsession AS session
    WHERE session.id = attendance.session_id AND member.cohort_id = session.cohort_id
    AND member.educator_id = attendance.educator_id;
    UPDATE training_trainingsession AS session SET part = numbered.part FROM (
        SELECT id, row_number() OVER (PARTITION BY cohort_id ORDER BY starts_at, id) AS part
        FROM training_trainingsession
    ) AS numbered WHERE numbered.id = session.id;
"""
REQUIREMENTS = """
    INSERT INTO training_courserequirement (program_id, course_id, kind, amount)
    SELECT program_id, id, 'every_part', 1 FROM training_course;
"""


class Migration(migrations.Migration):
    dependencies = [("training", "0004_room_for_training")]

    operations = [
        migrations.RunSQL(CODES, migrations.RunSQL.noop),
        migrations.RunSQL(MEMBERS, migrations.RunSQL.noop),
        migrations.RunSQL(REQUIREMENTS, migrations.RunSQL.noop),
    ]
