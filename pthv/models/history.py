"""What changed: the row as it was, kept by the database before each update and delete."""

from typing import Any

import pghistory
from django.db import models
from pghistory.models import Event


class HistoryEvent(Event):
    """Base of the history tables; ids of 8 bytes, since history outgrows its rows."""

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        abstract = True


def keeps_history(*, without: tuple[str, ...] = ()) -> Any:
    """Class decorator: keep the earlier row on update and delete, less the fields `without`."""

    def decorate(model: type[models.Model]) -> type[models.Model]:
        names = model._meta
        return pghistory.track(
            pghistory.UpdateEvent(row=pghistory.Old),
            pghistory.DeleteEvent(row=pghistory.Old),
            exclude=list(without),
            base_model=HistoryEvent,
            meta={
                "verbose_name": f"earlier {names.verbose_name}",
                "verbose_name_plural": f"earlier {names.verbose_name_plural}",
            },
        )(model)

    return decorate
