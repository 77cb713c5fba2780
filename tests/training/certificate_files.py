"""Lists of certificates from before, as programs keep them."""

import csv
import io
from collections.abc import Iterable

from pthv.models import Educator, Membership, Program, School, User

TITLES = ("Staff E-mail", "Name", "Training", "Date completed", "Valid until", "Notes")
# What is wrong with a line, and how the sentence about it begins.
WRONG = [
    (["", "Nobody", "Introduction", "2024-08-20", "", ""], "It has no e-mail address"),
    (["ana at school", "", "Introduction", "2024-08-20", "", ""], "“ana at school” is not an e"),
    (["who@example.org", "", "Introduction", "2024-08-20", "", ""], "No educator here has the"),
    (["{}", "", "Juggling", "2024-08-20", "", ""], "No course here is called “Juggling”"),
    (["{}", "", "", "2024-08-20", "", ""], "It names no course"),
    (["{}", "", "Introduction", "", "", ""], "It doesn't say when it was issued"),
    (["{}", "", "Introduction", "last fall", "", ""], "“last fall” is not a date"),
    (["{}", "", "Introduction", "2024-02-30", "", ""], "“2024-02-30” is not a date"),
    (["{}", "", "Introduction", "8/20/24", "", ""], "“8/20/24” doesn't say which century"),
    (["{}", "", "Introduction", "2026-10-07", "", ""], "It is issued on Oct 7, which is still"),
    (["{}", "", "Introduction", "1997-12-31", "", ""], "It is issued on Dec 31, 1997, before"),
    (["{}", "", "Introduction", "2024-08-20", "2024-08-19", ""], "It ends before it starts"),
    (["{}", "", "Introduction", "2024-08-20", "2204-08-19", ""], "It would count for more than"),
    (["{}", "", "Introduction", "2024-08-20\0", "", ""], "Issued on: It holds a character"),
    (["{}", "", "Introduction", "2024-08-20", "", "x" * 300], "Evidence: It is longer than"),
    (["{}", "Introduction", "2024-08-20"], "The row has 3 cells where"),
]


def listed(lines: Iterable[Iterable[object]], titles: Iterable[str] = TITLES) -> bytes:
    sheet = io.StringIO()
    csv.writer(sheet).writerows([titles, *lines])
    return sheet.getvalue().encode()


def hire(program: Program, school: School, number: int) -> list[Educator]:
    """So many educators, person0@example.org and on."""
    users = User.objects.bulk_create(
        User(email=f"person{n}@example.org", given_name="Ana", family_name=f"Ruiz {n}")
        for n in range(number)
    )
    Membership.objects.bulk_create(
        Membership(
            program=program, user=user, role="educator", school=school, starts_on="2026-01-01"
        )
        for user in users
    )
    return Educator.objects.bulk_create(Educator(program=program, user=user) for user in users)


def old_certificates(number: int, people: int) -> list[list[str]]:
    """So many lines, of which every fifth is wrong in one of the ways that lines are wrong."""
    lines = []
    for n in range(number):
        email = f"person{n % people}@example.org"
        if n % 5 == 4:
            cells = WRONG[n // 5 % len(WRONG)][0]
            lines.append([cell.format(email) for cell in cells])
        else:
            year = 2015 + n // people
            lines.append([email, "", "introduction", f"8/20/{year}", "", f"Binder {year}, no. {n}"])
    return lines
