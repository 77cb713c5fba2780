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

Kind = RosterImport.Kind
# Who answers for it when nobody is named: an account that nobody can log in to.
NIGHTLY = "import_roster@localhost"


class Command(BaseCommand):
    help = (
        "Plan a roster (OneRoster as zip or folder) or a list of contacts or attributes "
        "(CSV or .xlsx); apply it if told to. Ends with 1 and one sentence if it can't."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--program", required=True, help="the program's slug")
        parser.add_argument(
            "--kind",
            choices=Kind.values,
            help="what the file is; without it a zip or folder is oneroster, a list is contacts",
        )
        parser.add_argument("--by", default="", help="e-mail of the account that answers for it")
        parser.add_argument("--apply", action="store_true", help="apply the plan as well")
        parser.add_argument(
            "--leaving-confirmed", action="store_true", help="even if unusually many would leave"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["path"]
        program = Program.objects.filter(slug=options["program"]).first()
        if program is None:
            raise CommandError(f"There is no program “{options['program']}”.")
        if not path.exists():
            raise CommandError(f"There is no file at {path}.")
        by = self._account(options["by"])
        with scope(program=program):
            kind = options["kind"] or _kind(path)
            roster_import = upload.start(kind, path.name, program=program, by=by)
            self._plan(roster_import, path)
            if options["apply"]:
                self._apply(roster_import, by, options["leaving_confirmed"])

    def _account(self, email: str) -> User:
        found = User.objects.filter(email__iexact=email or NIGHTLY).first()
        if found is None and email:
            raise CommandError(f"There is no account {email}.")
        return found or User.objects.create_user(
            NIGHTLY, given_name="Nightly", family_name="import", is_active=False
        )

    def _plan(self, roster_import: RosterImport, path: Path) -> None:
        plan(roster_import, path)
        if roster_import.state == RosterImport.State.REFUSED:
            raise CommandError(roster_import.problem)
        counts = roster_import.counts
        self.stdout.write(", ".join(f"{counts[kind]} {kind}" for kind in RosterChange.Kind))
        for leaving in counts["leaving"]:
            self.stdout.write(apply.leaving_sentence(leaving))

    def _apply(self, roster_import: RosterImport, by: User, confirmed: bool) -> None:
        try:
            apply.begin(roster_import, leaving_confirmed=confirmed)
            apply.run(roster_import.pk, program=roster_import.program, by=by)
        except NotReady as blocked:
            raise CommandError(str(blocked)) from blocked
        roster_import.refresh_from_db()
        if roster_import.state != RosterImport.State.APPLIED:
            raise CommandError(roster_import.problem)
        self.stdout.write("Applied.")


def _kind(path: Path) -> str:
    return Kind.ONEROSTER if path.is_dir() or path.suffix.lower() == ".zip" else Kind.CONTACTS
