from django.db import migrations, models

import pthv.clock


class Migration(migrations.Migration):
    """Since when the worker has an import, so that a stuck one can be put away."""

    dependencies = [("families", "0005_search_within_a_program")]

    operations = [
        migrations.AddField(
            "rosterimport",
            "working_since",
            models.DateTimeField(
                default=pthv.clock.now,
                help_text="When the worker was last asked to read or apply it.",
            ),
        ),
    ]
