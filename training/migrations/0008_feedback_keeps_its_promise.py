from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('training', '0007_earned_once'),
    ]

    operations = [
        migrations.AddField(
            model_name='feedbackrequest',
            name='minimum',
            field=models.PositiveSmallIntegerField(default=10, help_text='They were told that fewer answers than this are never shown.'),
            preserve_default=False,
        ),
        # What was asked before was told the program's minimum of that day. It isn't known any
        # more; today's is the best guess.
        migrations.RunSQL(
            """
            UPDATE training_feedbackrequest AS request SET minimum = program.minimum_cell
              FROM pthv_program AS program WHERE program.id = request.program_id
            """,
            migrations.RunSQL.noop,
        ),
    ]
