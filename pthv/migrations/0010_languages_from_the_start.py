from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

from pthv.models import program


class Migration(migrations.Migration):
    dependencies = [("pthv", "0009_room_for_scheduling")]

    operations = [
        migrations.AlterField(
            model_name="program",
            name="languages_offered",
            field=ArrayField(
                models.CharField(max_length=12),
                db_default=["en", "es", "pt", "vi", "zh-hans", "ar"],
                default=program._all_languages,
                help_text="What families are written to in; English is always there.",
            ),
        ),
    ]
