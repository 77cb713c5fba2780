"""Making two families one, and one two, with what was asked and visited; both can be undone.

Of two invitations to the same visit of a year the one that came further stays, with the calls
and cancelled visits of both. A no of either family is the merged family's no: whoever was not
asked yet isn't, and what was still open is closed by it. What is complete stays as it was.
"""

from collections.abc import Collection, Iterable

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Concat, JSONObject
from django.utils.translation import gettext as _

from families import merging
from families.models import AmendmentRequest, Caregiver, Family, Student
from pthv import audit, clock, outbox, undo, wording
from pthv.access import Can
from pthv.blocked import NotReady, raise_if
from pthv.models import Change, Message, Program, RowImage, School, User, full_name
from visits.models import (
    ContactAttempt,
    FamilyLink,
    Invitation,
    InvitationAnswer,
    Visit,
    VisitKind,
    VisitStudent,
)

MERGED, SPLIT = "family.merged", "family.split"
POINT_AT_INVITATIONS = (
    "contact_attempt_invitation_same_program",
    "family_link_invitation_same_program",
    "invitation_answer_invitation_same_program",
    "visit_invitation_same_program",
)
State = Invitation.State
# How far an invitation came that has no visit standing; the further one stays.
FURTHER = [State.NOT_ASKED, State.UNREACHABLE, State.ASKED, State.LATER, State.ACCEPTED]


def merge_blockers(keep: Family, gone: Family) -> list[str]:
    """Why these two families can't become one, in sentences."""
    if reasons := merging.blockers(keep, gone):
        return reasons
    ours, theirs = _invitations(keep), _invitations(gone)
    standing = _standing([*ours, *theirs])
    reasons = []
    declined = [one for one in [*ours, *theirs] if one.state == State.DECLINED]
    for visit in standing.values():
        if declined and visit.state != Visit.State.COMPLETED:
            reasons.append(
                _("One said no thank you, and a visit stands (%(when)s). Settle that first.")
                % {"when": wording.moment(visit.during.lower, keep.program)}
            )
    for one in theirs:
        same = _counterpart(one, ours)
        open_visits = [v for v in (standing.get(one.pk), same and standing.get(same.pk)) if v]
        if same and len(open_visits) > 1 and not all(_over(visit) for visit in open_visits):
            reasons.append(
                _("Both have a %(kind)s that stands. Complete or cancel what is not over yet.")
                % {"kind": one.get_kind_display().lower()}
            )
    return reasons + _overlaps(ours, theirs, standing, keep)


@transaction.atomic
def merge(keep: Family, gone: Family, *, by: User) -> Family:
    """Make `gone` one with `keep`; the same twice is one. `undo.take_back` undoes it."""
    keep, gone = _locked(keep, gone)
    if gone.merged_into_id == keep.pk:
        return keep
    raise_if(merge_blockers(keep, gone))
    label = f"{gone.surnames} → {keep.surnames}"
    with undo.recorded(MERGED, program=keep.program, by=by, label=label[:255]) as change:
        stands_for = merging.merge(keep, gone)
        for pk, person in stands_for.items():
            ContactAttempt.objects.filter(caregiver=pk).update(caregiver=person)
            InvitationAnswer.objects.filter(caregiver=pk).update(caregiver=person)
            FamilyLink.objects.filter(caregiver=pk).update(caregiver=person)
            Invitation.objects.filter(answered_caregiver=pk).update(answered_caregiver=person)
        _join_invitations(keep, gone)
    audit.record(MERGED, keep, by=by, gone=gone.pk, change=change.pk)
    return keep


def _join_invitations(keep: Family, gone: Family) -> None:
    ours, theirs = _invitations(keep), _invitations(gone)
    asked = [one.pk for one in [*ours, *theirs]]
    standing = _standing([*ours, *theirs])
    for one in theirs:
        same = _counterpart(one, ours)
        if same is None:
            _move(one, keep)
        elif all(other.pk in standing for other in (one, same)):
            continue  # both complete: each stays where it happened
        else:
            stays, goes = _further(same, one, standing)
            ContactAttempt.objects.filter(invitation=goes).update(invitation=stays)
            InvitationAnswer.objects.filter(invitation=goes).update(invitation=stays)
            _move_links(goes, stays)
            Visit.objects.filter(invitation=goes).update(invitation=stays, family=keep)
            goes.delete()
            if stays is one:
                _move(one, keep)
    _messages_follow(asked)
    _let_a_no_hold(keep)


def _move(invitation: Invitation, keep: Family) -> None:
    Visit.objects.filter(invitation=invitation).update(family=keep)
    invitation.family = keep
    invitation.save(update_fields=["family"])


def _move_links(goes: Invitation, stays: Invitation) -> None:
    """Whoever was sent a link to one of the two answers the other by it; one link each."""
    links = FamilyLink.objects.filter(invitation=goes)
    has_one = stays.links.filter(revoked_at=None).values("caregiver")
    closing = links.filter(revoked_at=None, caregiver__in=has_one)
    nonces = list(closing.values_list("nonce", flat=True))
    closing.update(revoked_at=clock.now())
    links.update(invitation=stays)
    for nonce in nonces:
        outbox.withdraw(goes.program, link_nonce=nonce)


def _messages_follow(asked: Collection[int]) -> None:
    """A message is about the invitation, and for the caregiver, that its link has by now."""
    link = FamilyLink.objects.filter(invitation__in=asked, nonce=OuterRef("link_nonce"))

    def named(kind: str) -> Concat:
        return Concat(Value(f"{kind}:"), Cast(Subquery(link.values(kind)), TextField()))

    about = Message.objects.filter(Exists(link), about__in=[f"invitation:{pk}" for pk in asked])
    about.update(about=named("invitation"), recipient=named("caregiver"))


def _further(
    one: Invitation, other: Invitation, standing: dict[int, Visit]
) -> tuple[Invitation, Invitation]:
    """Which of two stays: one with a visit, else a no, else whichever came further."""

    def far(invitation: Invitation) -> tuple[bool, bool, int]:
        no = invitation.state == State.DECLINED
        return invitation.pk in standing, no, 0 if no else FURTHER.index(State(invitation.state))

    return (one, other) if far(one) >= far(other) else (other, one)


def _let_a_no_hold(keep: Family) -> None:
    """Close by the family's no whatever is still open; whoever wasn't asked is not asked."""
    held = _invitations(keep)
    no = next((one for one in held if one.state == State.DECLINED), None)
    if no is None:
        return
    standing = _standing(held)
    for one in held:
        if one.state == State.DECLINED or one.pk in standing:
            continue
        if one.state == State.NOT_ASKED:
            one.links.all().delete()
            one.delete()
            continue
        one.state, one.later_on = State.DECLINED, None
        one.answered_at, one.answered_by = no.answered_at, no.answered_by
        one.answered_caregiver = no.answered_caregiver
        one.call_wanted_at = one.differing_at = None
        one.save()
        outbox.withdraw(one.program, about=one.named)


def split_blockers(
    family: Family, children: Collection[Student], caregivers: Collection[Caregiver]
) -> list[str]:
    """Why these can't become a family of their own, in sentences."""
    reasons = merging.split_blockers(family, children, caregivers)
    going = VisitStudent.objects.filter(
        student__in=children, visit__state__in=[*Visit.AHEAD, Visit.State.HELD]
    )
    for visit in Visit.objects.filter(pk__in=going.values("visit")).order_by("pk"):
        reasons.append(
            _("A visit is about one of these children (%(when)s). Complete or cancel it first.")
            % {"when": wording.moment(visit.during.lower, family.program)}
        )
    return reasons


@transaction.atomic
def split(
    family: Family,
    children: Collection[Student],
    moving: Collection[Caregiver],
    both: Collection[Caregiver] = (),
    *,
    by: User,
) -> Family:
    """Give these children a family of their own. What was asked and visited stays with the old
    one; its no, and having been asked this year, hold for the new one too (visits/selection.py)."""
    (family,) = _locked(family)
    children = list(Student.objects.filter(pk__in=[child.pk for child in children]))
    moving = list(Caregiver.objects.filter(pk__in=[person.pk for person in moving]))
    both = list(Caregiver.objects.filter(pk__in=[person.pk for person in both]))
    raise_if(split_blockers(family, children, [*moving, *both]))
    label = f"{family.surnames}: {wording.listed(child.called for child in children)}"
    with undo.recorded(SPLIT, program=family.program, by=by, label=label[:255]) as change:
        new = merging.split(family, children, moving, both)
    audit.record(SPLIT, family, by=by, new=new.pk, change=change.pk)
    return new


def changes(family: Family) -> QuerySet[Change]:
    """The merges and splits that this family was part of and that can still be undone."""
    touched = {"images__table": Family._meta.db_table, "images__row": family.pk}
    return Change.objects.filter(what__in=[MERGED, SPLIT], undone_at=None, **touched).distinct()


def with_changes(found: QuerySet[Family]) -> QuerySet[Family]:
    """Families with their `recent_changes`: what `changes` finds, at no query of its own."""
    images = RowImage.objects.filter(
        change=OuterRef("pk"), table=Family._meta.db_table, row=OuterRef(OuterRef("pk"))
    )
    recent = Change.objects.filter(
        Exists(images),
        program=OuterRef("program"),
        what__in=[MERGED, SPLIT],
        undone_at=None,
        made_at__gt=clock.now() - undo.KEPT_FOR,
    )
    told = JSONObject(id="pk", what="what", label="label", by=full_name("made_by__"))
    return found.annotate(recent_changes=ArraySubquery(recent.order_by("-pk").values(told=told)))


def families_of(change: Change) -> list[int]:
    """The families that a merge or a split was about."""
    images = change.images.filter(table=Family._meta.db_table)
    return list(images.order_by().values_list("row", flat=True).distinct())


def take_back_blockers(change: Change) -> list[str]:
    """Why it can't be undone, in sentences: whose a call to the merged family was, nobody knows."""
    if reasons := undo.blockers(change):
        return reasons
    asked = Invitation.objects.filter(family__in=families_of(change))
    calls = ContactAttempt.objects.filter(invitation__in=asked, made_at__gt=change.made_at)
    visits = Visit.objects.filter(invitation__in=asked, scheduled_at__gt=change.made_at)
    answers = asked.filter(answered_at__gt=change.made_at)
    if change.what == MERGED and any(found.exists() for found in (calls, answers, visits)):
        return [_("This can't be undone: as one family they were called, answered or visited.")]
    return []


def take_back(change: Change, *, by: User) -> None:
    """Undo a merge or a split; NotReady says what was built on it."""
    with transaction.atomic():
        _locked(*Family.objects.filter(pk__in=families_of(change)))
        raise_if(take_back_blockers(change))
        with connection.cursor() as cursor:
            # Calls, answers and visits may point back at an invitation a moment before it returns.
            cursor.execute(f"SET CONSTRAINTS {', '.join(POINT_AT_INVITATIONS)} DEFERRED")
        undo.take_back(change, by=by)
        asked = Invitation.objects.filter(family__in=families_of(change))
        _messages_follow(asked.values_list("pk", flat=True))


def within_reach(found: QuerySet[Family], user: User) -> QuerySet[Family]:
    """Those that this person may merge or split: of the program all, of their schools those
    with every child there."""
    reach = user.reach(Can.MERGE_FAMILIES)
    if reach.program:
        return found
    if not reach.schools:
        return found.none()
    children, asked = (
        rows.filter(family=OuterRef("pk")).exclude(school__in=reach.schools)
        for rows in (Student.objects.enrolled(), Invitation.objects.all())
    )
    return found.filter(~Exists(children), ~Exists(asked))


def _invitations(family: Family) -> list[Invitation]:
    return list(Invitation.objects.filter(family=family).order_by("pk"))


def _standing(invitations: Iterable[Invitation]) -> dict[int, Visit]:
    """The visit that stands, by invitation."""
    found = Visit.objects.standing().filter(invitation__in=[one.pk for one in invitations])
    return {visit.invitation_id: visit for visit in found}


def _counterpart(one: Invitation, others: list[Invitation]) -> Invitation | None:
    """The other family's invitation to the same visit; an additional visit has none."""
    if one.kind == VisitKind.ADDITIONAL:
        return None
    same = (other for other in others if other.school_year_id == one.school_year_id)
    return next((other for other in same if other.kind == one.kind), None)


def _over(visit: Visit) -> bool:
    return visit.state == Visit.State.COMPLETED


def _overlaps(ours, theirs, standing: dict[int, Visit], keep: Family) -> list[str]:
    mine = [standing[one.pk] for one in ours if one.pk in standing]
    other = [standing[one.pk] for one in theirs if one.pk in standing]
    return [
        _("Both have a visit at %(when)s. Cancel one of them first.")
        % {"when": wording.moment(max(one.during.lower, two.during.lower), keep.program)}
        for one in mine
        for two in other
        if one.during.lower < two.during.upper and two.during.lower < one.during.upper
    ]


def _locked(*found: Family) -> list[Family]:
    """The families as they are now, with everything a merge moves kept from others.

    The program first, as an import does, so that none is applied meanwhile; then the schools,
    as a plan does, so that nobody is invited; then invitations, visits, families and their
    people, each in order of their ids.
    """
    Program.objects.select_for_update(no_key=True).get(pk=found[0].program_id)
    pks = [family.pk for family in found]
    schools = Student.objects.filter(family__in=pks).values("school")
    for rows in (
        School.objects.filter(pk__in=schools),
        Invitation.objects.filter(family__in=pks),
        Visit.objects.filter(family__in=pks),
    ):
        list(rows.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk"))
    locked = Family.objects.select_for_update(of=("self",), no_key=True).select_related("program")
    held = {family.pk: family for family in locked.filter(pk__in=pks).order_by("pk")}
    for people in (Caregiver, Student, AmendmentRequest):
        rows = people.objects.filter(family__in=pks).order_by("pk")
        list(rows.select_for_update(of=("self",), no_key=True).values_list("pk"))
    if len(held) < len(set(pks)):
        raise NotReady(_("Choose another family."))
    return [held[pk] for pk in pks]
