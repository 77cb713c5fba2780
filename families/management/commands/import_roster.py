"""manage.py import_roster PATH --program SLUG [--apply]: the nightly way in."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_scopes import scope

from families.models import RosterChange, RosterImport
from families.roster import apply, upload
from families.roster.plan import plan
from pthv.blocked import NotReady
from pthv.models import Program, User


class Command(BaseCommand):
    help = "Plan a roster (zip or folder of OneRoster CSV, or contacts.csv); apply it if told to."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--program", required=True, help="the program's slug")
        parser.add_argument("--by", required=True, help="e-mail of the account that answers for it")
        parser.add_argument("--apply", action="store_true", help="apply the plan as well")
        parser.add_argument(
            "--leaving-confirmed", action="store_true", help="even if unusually many would leave"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["path"]
        program = Program.objects.filter(slug=options["program"]).first()
        by = User.objects.filter(email__iexact=options["by"]).first()
        if program is None or by is None:
            raise CommandError("There is no such program or no such account.")
        lone = path.suffix.lower() == ".csv"
        kind = RosterImport.Kind.CONTACTS if lone else RosterImport.Kind.ONEROSTER
        with scope(program=program):
            roster_import = upload.start(kind, path.name, program=program, by=by)
            plan(roster_import, path)
            self._report(roster_import)
            if options["apply"]:
                self._apply(roster_import, by, options["leaving_confirmed"])

    def _report(self, roster_import: RosterImport) -> None:
        if roster_import.state == RosterImport.State.REFUSED:
            raise CommandError(roster_import.problem)
        counts = roster_import.counts
        self.stdout.write(", ".join(f"{counts[kind]} {kind}" for kind in RosterChange.Kind))
        for leaving in counts["leaving"]:
            self.stdout.write(apply.leaving_sentence(leaving))

    def _apply(self, roster_import: RosterImport, by: User, confirmed: bool) -> None:
        try:
            apply.begin(roster_import, leaving_confirmed=confirmed)
        except NotReady as blocked:
            raise CommandError(str(blocked)) from blocked
        apply.run(roster_import.pk, program=roster_import.program, by=by)
        self.stdout.write("Applied.")
