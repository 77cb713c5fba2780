from django.db import migrations, models

# A form sent twice opened two cohorts of one name; the later ones get their number.
NUMBER_THE_LATER_ONES = """
    UPDATE training_cohort SET name = left(name, 95) || ' #' || id
    WHERE EXISTS (
        SELECT FROM training_cohort earlier
        WHERE earlier.program_id = training_cohort.program_id
            AND earlier.course_id = training_cohort.course_id
            AND earlier.name = training_cohort.name
            AND earlier.id < training_cohort.id
    )
"""


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0002_names_for_the_admin"),
    ]

    operations = [
        migrations.RunSQL(NUMBER_THE_LATER_ONES, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="cohort",
            constraint=models.UniqueConstraint(
                fields=("program", "course", "name"), name="cohort_named_once"
            ),
        ),
    ]
