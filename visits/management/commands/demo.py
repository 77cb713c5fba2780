"""manage.py demo: make the invented program, or multiply it."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django_scopes import scope, scopes_disabled

from pthv import clock
from pthv.models import Program
from visits import links
from visits.demo import bulk, families, program
from visits.demo.people import ADMINISTRATOR, EDUCATOR, PASSWORD, SECOND_EDUCATOR, STAFF


class Command(BaseCommand):
    help = "Make the demo program (600 students), or with --scale N programs of 10,000 students."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="only if there is no program")
        parser.add_argument("--people", action="store_true", help="only print who can log in")
        parser.add_argument("--scale", type=int, help="so many more programs of 10,000 students")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_LOGINS:
            raise CommandError("Demo log-ins are off here (PTHV_DEMO_LOGINS), so no demo is made.")
        with scopes_disabled():
            if not options["people"]:
                self._make(options)
            if not options["if_empty"] and Program.objects.demo().exists():
                self._print_people()

    def _make(self, options: dict[str, Any]) -> None:
        if options["if_empty"] and Program.objects.exists():
            return
        if not Program.objects.demo().exists():
            self.stdout.write("Making the demo program, half a minute or so …")
            program.build(clock.now())
        elif options["scale"] is None:
            self.stdout.write("The demo program is there already.")
        if options["scale"] is not None:
            bulk.build(options["scale"], clock.now(), say=self.stdout.write)

    def _print_people(self) -> None:
        people = [
            (EDUCATOR, "educator"),
            (SECOND_EDUCATOR, "the educator who goes along"),
            *(
                ((email, given, family), role.replace("_", " "))
                for email, given, family, role in STAFF
            ),
            (ADMINISTRATOR, "administrator, at /admin/"),
        ]
        self.stdout.write(f"\nLog in with the password  {PASSWORD}  as")
        for (email, given, family), role in people:
            self.stdout.write(f"  {email:<30} {given} {family}, {role}")
        for demo in Program.objects.demo():
            with scope(program=demo):
                if link := families.link_of_one(demo):
                    self.stdout.write(
                        f"\nWhat one of its families opens from a message:\n  {links.url(link)}"
                    )
