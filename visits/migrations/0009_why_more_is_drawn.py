from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("visits", "0008_a_family_cancels")]

    operations = [
        migrations.AddField(
            model_name="draw",
            name="because",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Why more were drawn before all of the earlier ones were asked.",
                max_length=200,
            ),
        ),
    ]
