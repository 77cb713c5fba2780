"""Brings what families read up to date in every language."""

from django.core.management.base import BaseCommand

from pthv import catalogues


class Command(BaseCommand):
    help = "Find the sentences that families read, and write and compile their translations."

    def handle(self, *args, **options) -> None:
        for code, problems in catalogues.update().items():
            self.stdout.write(f"{code}: {len(problems) or 'nothing'} to do")
            for problem in problems:
                self.stdout.write(f"  {problem}")
