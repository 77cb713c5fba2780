"""The part of a plan about teachers: their accounts, and the schools where they teach."""

from collections import defaultdict
from datetime import date

from django.contrib.auth.hashers import make_password
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from families.models import RosterChange
from pthv.accounts import outside_accounts
from pthv.blocked import NotReady
from pthv.models import Educator, Membership, Program, Role, School, User

from . import progress
from .apply_classes import Classes
from .chunks import CHUNK
from .states import Table


def apply(program: Program, changes: QuerySet[RosterChange], classes: Classes, since: date) -> None:
    """`since` is the first day of the plan's school years, when new teachers begin."""
    educators = _Educators(program, since)
    for chunk in progress.steps(changes.filter(table=Table.EDUCATOR)):
        people = educators.rows(chunk)
        educators.memberships(people, chunk)
        said = {change.source_id: change.after for change in chunk}
        classes.teach({people[key].pk: (key, after) for key, after in said.items()})


class _Educators:
    def __init__(self, program: Program, since: date) -> None:
        self.program, self.today, self.since = program, program.today, since
        self.schools = dict(School.objects.exclude(source_id="").values_list("source_id", "pk"))

    def rows(self, changes: list[RosterChange]) -> dict[str, Educator]:
        """The educator of each change by roster id; accounts are made, never altered."""
        keys = [change.source_id for change in changes]
        found = {one.source_id: one for one in Educator.objects.filter(source_id__in=keys)}
        new = [change for change in changes if change.source_id not in found]
        users = _accounts(self.program, new)
        by_user = {one.user_id: one for one in Educator.objects.filter(user__in=users.values())}
        made = []
        for change in new:
            user = users[change.after["email"]]
            educator = by_user.get(user.pk)
            if educator is None:
                educator = Educator(program=self.program, user=user, source_id=change.source_id)
                made.append(educator)
            else:  # added by hand before a roster came
                educator.source_id = change.source_id
                educator.save(update_fields=["source_id"])
            found[change.source_id] = educator
        Educator.objects.bulk_create(made, batch_size=CHUNK)
        return found

    def memberships(self, people: dict[str, Educator], changes: list[RosterChange]) -> None:
        """Begin and end what a change of schools begins and ends; the past stays."""
        held = defaultdict(list)
        users = [educator.user_id for educator in people.values()]
        rows = Membership.objects.filter(program=self.program, role=Role.EDUCATOR, user__in=users)
        for membership in rows.exclude(school__source_id="").order_by("starts_on"):
            held[membership.user_id].append(membership)
        begun: list[Membership] = []
        altered: list[Membership] = []
        for change in changes:
            if "schools" in change.after or not change.after:
                user = people[change.source_id].user_id
                wanted = {self.schools[school] for school in change.after.get("schools", [])}
                altered += self._ended(held[user], wanted)
                for school in wanted:
                    earlier = [one for one in held[user] if one.school_id == school]
                    self._begin(user, school, earlier, begun, altered)
        Membership.objects.bulk_update(altered, ["ends_on"], batch_size=CHUNK)
        Membership.objects.bulk_create(begun, batch_size=CHUNK)

    def _ended(self, held: list[Membership], wanted: set[int]) -> list[Membership]:
        gone = [one for one in held if one.ends_on is None and one.school_id not in wanted]
        for membership in gone:
            membership.ends_on = max(self.today, membership.starts_on)
        return gone

    def _begin(
        self,
        user: int,
        school: int,
        earlier: list[Membership],
        begun: list[Membership],
        altered: list[Membership],
    ) -> None:
        ends = [membership.ends_on for membership in earlier]
        if None in ends:
            return
        if ends and (last := ends[-1]) and last >= self.today:
            earlier[-1].ends_on = None
            altered.append(earlier[-1])
            return
        begun.append(
            Membership(
                program=self.program,
                user_id=user,
                role=Role.EDUCATOR,
                school_id=school,
                starts_on=self.today if earlier else self.since,
            )
        )


def _accounts(program: Program, changes: list[RosterChange]) -> dict[str, User]:
    """The account of each address; a new one has no password until its owner sets one."""
    people = {change.after["email"]: change.after for change in changes}
    if outside_accounts(program, people):
        # Made since the plan, which would have refused it.
        raise NotReady(_("An address has an account outside this program. Send the file again."))
    held = User.objects.annotate(address=Lower("email")).filter(address__in=list(people))
    users = {user.address: user for user in held}
    made = [
        User(
            email=email,
            given_name=said["given_name"],
            family_name=said["family_name"],
            password=make_password(None),
        )
        for email, said in people.items()
        if email not in users
    ]
    User.objects.bulk_create(made, batch_size=CHUNK)
    return users | {user.email: user for user in made}
