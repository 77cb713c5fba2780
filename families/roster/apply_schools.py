"""The part of a plan about places: school years, schools, classes."""

from datetime import date

from django.db.models import QuerySet

from families.models import RosterChange, RosterSession, SchoolClass
from pthv.models import Program, School, SchoolYear

from . import progress
from .chunks import CHUNK
from .lines import BESIDE, SESSIONS
from .states import Table


def apply(program: Program, changes: QuerySet[RosterChange]) -> None:
    for change in changes.filter(table=Table.YEAR):
        _year(program, change)
    for change in changes.filter(table=Table.SCHOOL):
        _school(program, change)
    _sessions(program, changes)
    _classes(program, list(changes.filter(table=Table.CLASS)))


def _year(program: Program, change: RosterChange) -> None:
    said = change.after
    SchoolYear.objects.get_or_create(
        program=program,
        starts_on=date.fromisoformat(said["starts_on"]),
        defaults={"name": said["name"], "ends_on": date.fromisoformat(said["ends_on"])},
    )


def _sessions(program: Program, changes: QuerySet[RosterChange]) -> None:
    """Keep which year each academic session belongs to, for a file of changes to come."""
    years = {f"{year.starts_on}": year.pk for year in SchoolYear.objects.all()}
    held = {one.source_id: one for one in RosterSession.objects.all()}
    new, moved = [], []
    for change in changes.filter(kind=BESIDE, table=SESSIONS):
        for key, starts_on in change.after.items():
            one = held.get(key)
            if one is None:
                one = RosterSession(program=program, source_id=key)
                new.append(one)
            elif one.school_year_id != years[starts_on]:
                moved.append(one)
            one.school_year_id = years[starts_on]
        progress.advance(1)
    RosterSession.objects.bulk_create(new)
    RosterSession.objects.bulk_update(moved, ["school_year"])


def _school(program: Program, change: RosterChange) -> None:
    name, key = change.after["name"], change.source_id
    if School.objects.filter(source_id=key).update(name=name):
        return
    by_hand = School.objects.filter(source_id="", name=name).first()
    if by_hand:
        by_hand.source_id = key
        by_hand.save(update_fields=["source_id"])
    else:
        School.objects.create(program=program, source_id=key, name=name)


def _classes(program: Program, changes: list[RosterChange]) -> None:
    schools = dict(School.objects.exclude(source_id="").values_list("source_id", "pk"))
    years = {f"{year.starts_on}": year for year in SchoolYear.objects.all()}
    keys = [change.source_id for change in changes]
    held = {
        (one.school_year_id, one.source_id): one
        for one in SchoolClass.objects.filter(source_id__in=keys)
    }
    new: list[SchoolClass] = []
    old: list[SchoolClass] = []
    for change in changes:
        said = change.after or change.before
        year = years[said["year"]]
        found = held.get((year.pk, change.source_id))
        one = found or SchoolClass(program=program, school_year=year, source_id=change.source_id)
        one.left_on = None if change.after else program.today
        one.title = said.get("title", one.title)
        if "school" in said:
            one.school_id = schools[said["school"]]
        (old if found else new).append(one)
    SchoolClass.objects.bulk_create(new, batch_size=CHUNK)
    SchoolClass.objects.bulk_update(old, ["title", "school", "left_on"], batch_size=CHUNK)
