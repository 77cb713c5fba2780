import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

import pthv.search


class Migration(migrations.Migration):
    """The words of a name, each once more behind its program's mark."""

    dependencies = [("families", "0004_names_for_the_admin")]

    operations = [
        migrations.AddField(
            "student",
            "searchable",
            models.GeneratedField(
                expression=pthv.search.Folded(
                    "given_name", "preferred_name", "family_name", as_vector=True
                ),
                output_field=django.contrib.postgres.search.SearchVectorField(),
                db_persist=True,
            ),
        ),
        migrations.AddIndex(
            "student",
            django.contrib.postgres.indexes.GinIndex(
                fields=["searchable"], name="student_searchable"
            ),
        ),
    ]
