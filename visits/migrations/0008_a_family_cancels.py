from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("visits", "0007_what_a_merge_moves_more")]

    operations = [
        migrations.RemoveConstraint(model_name="visit", name="visit_ended_at_with_by"),
        migrations.AddConstraint(
            model_name="visit",
            constraint=models.CheckConstraint(
                condition=Q(occupies=True, ended_at=None, ended_by=None)
                | Q(occupies=False, ended_at__isnull=False, ended_by__isnull=False)
                | Q(state="family_cancelled", ended_at__isnull=False, ended_by=None),
                name="visit_ended_at_with_by",
            ),
        ),
    ]
