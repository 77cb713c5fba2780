"""How people log in, and stop to: accounts are made by a program, never by a passer-by."""

import unicodedata
from collections.abc import Iterable
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from pthv import audit, outbox
from pthv.blocked import NotReady, raise_if
from pthv.models import Educator, Membership, Program, Role, School, User

# The rows of Membership as they were before each change.
EarlierMembership = Membership.pgh_event_model  # type: ignore[attr-defined]
# Persian and Indic names are spelled with them; other marks that nobody sees only deceive.
JOINERS = "\u200c\u200d"


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count wrong passwords by account *and* address: a stranger's don't lock the owner out."""
        key = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{key}:{self.get_client_ip(request)}"


class Backend(AuthenticationBackend):
    """E-mail and password; the demo's invented people only where they may log in."""

    def user_can_authenticate(self, user: User) -> bool:
        if user.is_demo and not demo_people().filter(pk=user.pk).exists():
            return False
        return super().user_can_authenticate(user)


def demo_people() -> "QuerySet[User]":
    """The invented people one may log in as here.

    Their password is known to everybody. So outside development they get in only while no
    program of real families is here, and those of them who may do everything never do.
    """
    people = User.objects.of_the_demo()
    if not settings.DEMO_LOGINS:
        return people.none()
    if settings.DEV:
        return people
    if Program.objects.real().exists():
        return people.none()
    return people.filter(is_superuser=False, is_staff=False)


def outside_accounts(program: Program, emails: Iterable[str]) -> list[User]:
    """The accounts with these addresses that never had a part in the program."""
    held = User.objects.filter(email__in=list(emails))
    inside = Membership.objects.filter(program=program).values("user")
    earlier = EarlierMembership.objects.filter(program=program).values("user")
    return list(held.exclude(pk__in=inside).exclude(pk__in=earlier))


@transaction.atomic
def welcome(email: str, name: str, school: School, *, by: User) -> Educator:
    """The educator with this address; whoever is unknown gets an account, which a message tells
    them of, and whoever left comes back. Their first day at the school is today.

    Whoever does something else here becomes an educator by an administrator alone."""
    email = email.strip().lower()
    if outside_accounts(school.program, [email]):
        raise NotReady(
            _("%(email)s has an account outside this program. Ask your administrator.")
            % {"email": email}
        )
    given, _space, family = plain_name(name).partition(" ")
    user, made = User.objects.get_or_create(
        email=email,
        defaults={
            "given_name": given[:80],
            "family_name": family.strip()[:80],
            "password": make_password(None),
        },
    )
    raise_if(closed(user))
    held = Membership.objects.not_over().filter(program=school.program, user=user)
    if not held.filter(role=Role.EDUCATOR).exists():
        raise_if(_something_else(user, held))
        membership = Membership.objects.create(
            program=school.program,
            user=user,
            role=Role.EDUCATOR,
            school=school,
            starts_on=school.program.today,
        )
        audit.record("account.welcomed", membership, by=by, user=user.pk, new=made)
    educator, _new = Educator.objects.get_or_create(program=school.program, user=user)
    if made:
        said: dict[str, object] = {"by": by, "site": settings.SITE_URL}
        outbox.queue(school.program, "account_made", user, said, key=str(user.pk))
    return educator


def plain_name(typed: str) -> str:
    """A name as one line of what can be seen: names go into files and calendars."""
    return " ".join("".join(map(_visible, typed)).split())


def _visible(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind == "Cf" and letter not in JOINERS:
        return ""
    return " " if kind in ("Cc", "Cs") else letter


def closed(user: User) -> list[str]:
    """A sentence if nobody can log in as this person any more."""
    if user.is_active:
        return []
    return [_("%(email)s has a closed account.") % {"email": user.email}]


def _something_else(user: User, held: "QuerySet[Membership]") -> list[str]:
    """What somebody is who isn't an educator, and whose word makes them one."""
    roles = {membership.get_role_display() for membership in held}
    if user.is_staff or user.is_superuser:
        roles.add(_("administrator"))
    if not roles:
        return []
    return [
        _("%(email)s is here as: %(roles)s. An administrator can make them an educator too.")
        % {"email": user.email, "roles": ", ".join(sorted(roles))}
    ]


@transaction.atomic
def deactivate(user: User, *, by: User) -> User:
    """Close an account at once: whoever is logged in with it is out with the next page."""
    if user.pk == by.pk:
        raise NotReady(_("You can't close your own account. Ask another administrator."))
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.is_active:
        user.is_active = False
        user.save(update_fields=["is_active"])
        _record("account.closed", user, by)
    return user


@transaction.atomic
def forget_second_step(user: User, *, by: User) -> User:
    """Let somebody who lost their phone log in without it, and set up another."""
    if user.pk == by.pk:
        raise NotReady(_("Change your own second step on your account's page."))
    forgotten, _of_each = Authenticator.objects.filter(user=user).delete()
    if not forgotten:
        raise NotReady(_("This account has no second step."))
    _record("account.second_step_forgotten", user, by)
    return user


def _record(event: str, user: User, by: User) -> None:
    """An account is no row of a program: it is kept with each membership."""
    for membership in Membership.objects.not_over().filter(user=user):
        audit.record(event, membership, by=by, user=user.pk)


@transaction.atomic
def end_today(membership: Membership, *, by: User) -> Membership:
    """Make today the last day of a membership; one that is over stays as it is."""
    membership = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("program")
        .get(pk=membership.pk)
    )
    today = membership.program.today
    if membership.ends_on and membership.ends_on <= today:
        return membership
    if membership.starts_on > today:
        raise NotReady(_("This membership has not begun yet. Change its dates instead."))
    membership.ends_on = today
    membership.save(update_fields=["ends_on"])
    audit.record("membership.ended", membership, by=by, ends_on=str(today))
    return membership
