"""Who: accounts, what they may do until when, and the educators among them."""

import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Lower, Upper
from django.utils.translation import gettext_lazy as _

from pthv import access, clock

from .history import keeps_history
from .program import Program
from .tenancy import ProgramRow, same_program, scoped
from .undo import undoable

if TYPE_CHECKING:
    from pthv.access import Can, Reach

Role = access.Role


def full_name(user: str = "") -> Concat:
    """A person's name as SQL; `user` is the way to them, such as "educator__user__"."""
    return Concat(f"{user}given_name", Value(" "), f"{user}family_name")


class UserManager(BaseUserManager["User"]):
    def of_the_demo(self) -> "models.QuerySet[User]":
        """The invented people of the demo program, and nobody else."""
        return self.filter(is_active=True, is_demo=True).order_by("pk")

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email=(email or "").lower())

    def create_user(self, email: str, password: str | None = None, **fields) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


@undoable
class User(AbstractBaseUser, PermissionsMixin):
    """A person who can log in, known by e-mail address."""

    email = models.EmailField(_("e-mail"), unique=True)
    given_name = models.CharField(max_length=80, blank=True)
    family_name = models.CharField(max_length=80, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(_("administrator"), default=False)
    is_demo = models.BooleanField(
        default=False, editable=False, help_text=_("An invented person of the demo program.")
    )
    joined_at = models.DateTimeField(default=clock.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["family_name", "given_name", "pk"]
        constraints = [
            models.CheckConstraint(
                name="user_email_in_small_letters", condition=Q(email=Lower("email"))
            )
        ]
        indexes = [
            models.Index(fields=["family_name", "given_name", "id"], name="user_by_name"),
            # How allauth looks people up, whatever they typed.
            models.Index(Upper("email"), name="user_by_email"),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def get_full_name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    def get_short_name(self) -> str:
        return self.given_name or self.email

    @cached_property
    def memberships(self) -> "list[Membership]":
        """What this person holds today, in every program; read once per request."""
        return list(Membership.objects.current().of(self))

    def reach(self, can: "Can") -> "Reach":
        """How far `can` goes for this person in the program in scope."""
        return access.reach(self.memberships, can)


class MembershipQuerySet(models.QuerySet):
    def current(self, on: datetime.date | None = None) -> "MembershipQuerySet":
        """In force on a date (today, by UTC less half a day at most, if none is given).

        A membership's last day counts wherever the program is: the day changes last
        at UTC-12, so an account is never closed before its own midnight.
        """
        date = on or (clock.now() - datetime.timedelta(hours=12)).date()
        ahead = on or (clock.now() + datetime.timedelta(hours=14)).date()
        return self.filter(Q(ends_on=None) | Q(ends_on__gte=date), starts_on__lte=ahead)

    def not_over(self) -> "MembershipQuerySet":
        """In force today, or later."""
        last_midnight = (clock.now() - datetime.timedelta(hours=12)).date()
        return self.filter(Q(ends_on=None) | Q(ends_on__gte=last_midnight))

    def of(self, user: User) -> "MembershipQuerySet":
        """This person's, with program, school and educator row at hand."""
        educator = Educator.objects.with_scopes_disabled().filter(
            program=models.OuterRef("program"), user=models.OuterRef("user")
        )
        return (
            self.filter(user=user)
            .select_related("program", "school")
            .annotate(educator_id=models.Subquery(educator.values("pk")[:1]))
            .order_by("program__name", "pk")
        )


@keeps_history()
@undoable
class Membership(models.Model):
    """A role that one person holds in a program, or at one school of it, for a time.

    Not scoped to the program at hand: it is what decides which programs a person has.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    role = models.CharField(max_length=20, choices=Role)
    school = models.ForeignKey(
        "pthv.School", models.PROTECT, null=True, blank=True, db_constraint=False, related_name="+"
    )
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True, help_text=_("Last day; empty: no end."))

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["program", "user"]
        constraints = [
            *same_program("membership", school="pthv.School"),
            models.UniqueConstraint(
                fields=["program", "user", "role", "school", "starts_on"],
                nulls_distinct=False,
                name="membership_once",
            ),
            models.CheckConstraint(
                name="membership_in_order",
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
            ),
            models.CheckConstraint(
                name="membership_school_fits_role",
                condition=Q(role__in=[Role.EDUCATOR, Role.SITE_COORDINATOR], school__isnull=False)
                | Q(
                    role__in=[
                        Role.PROGRAM_COORDINATOR,
                        Role.FINANCE,
                        Role.PARTNER,
                        Role.INTERPRETER,
                    ],
                    school__isnull=True,
                ),
                violation_error_message=_(
                    "Educators and site coordinators belong to a school; the others to the program."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}"


class EducatorQuerySet(models.QuerySet):
    def open_to(self, user, can):
        """Educators whom this person may do this with: all, those of a school, or oneself."""
        reach = user.reach(can)
        if reach.program:
            return self
        at_school = Membership.objects.current().filter(
            school__in=reach.schools, role=Role.EDUCATOR, program=models.OuterRef("program")
        )
        return self.filter(
            Q(pk__in=reach.educators)
            | models.Exists(at_school.filter(user=models.OuterRef("user")))
        )

    def at(self, school, on: datetime.date | None = None) -> "EducatorQuerySet":
        """Who visits for this school today, or on a date."""
        current = (
            Membership.objects.current(on)
            .filter(user__is_active=True)
            .filter(school=school, role=Role.EDUCATOR)
        )
        return self.filter(user__in=current.values("user"))

    def staying(self, school=None) -> "EducatorQuerySet":
        """Who visits in their program, or for this school, and who is about to."""
        lasting = Membership.objects.not_over().filter(
            role=Role.EDUCATOR, program=models.OuterRef("program"), user=models.OuterRef("user")
        )
        return self.filter(models.Exists(lasting.filter(school=school) if school else lasting))

    def named(self, typed: str) -> "EducatorQuerySet":
        """Whose name or e-mail address holds every word of `typed`."""
        found = self
        for word in typed.replace("\x00", "").split()[:6]:
            found = found.filter(
                Q(user__given_name__icontains=word)
                | Q(user__family_name__icontains=word)
                | Q(user__email__icontains=word)
            )
        return found

    def by_name(self) -> "EducatorQuerySet":
        """In the order of a list of names, with `sort_name`, and the user at hand."""
        sort_name = Lower(Concat("user__family_name", Value(" "), "user__given_name"))
        return self.annotate(sort_name=sort_name).select_related("user").order_by("sort_name", "pk")


@keeps_history()
@undoable
class Educator(ProgramRow):
    """Any school staff member who visits: one person in one program."""

    user = models.ForeignKey(User, models.PROTECT, related_name="educators")
    source_id = models.CharField(
        max_length=255, blank=True, help_text=_("Their id in the roster files.")
    )
    languages = ArrayField(
        models.CharField(max_length=20),
        default=list,
        blank=True,
        help_text=_("Languages they speak with families, as tags such as es, vi."),
    )

    objects: ClassVar[Any] = scoped(EducatorQuerySet)

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("educator"),
            models.UniqueConstraint(fields=["program", "user"], name="educator_once"),
            models.UniqueConstraint(
                fields=["program", "source_id"],
                condition=~Q(source_id=""),
                name="educator_source_id_once",
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)
