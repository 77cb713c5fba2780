from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("visits", "0006_answers_and_links")]

    operations = [
        # As in 0005, for answers and links.
        migrations.RunSQL(
            f"ALTER TABLE {table} ALTER CONSTRAINT {key} DEFERRABLE INITIALLY IMMEDIATE",
            f"ALTER TABLE {table} ALTER CONSTRAINT {key} NOT DEFERRABLE",
        )
        for table, key in (
            ("visits_invitationanswer", "invitation_answer_invitation_same_program"),
            ("visits_familylink", "family_link_invitation_same_program"),
        )
    ]
