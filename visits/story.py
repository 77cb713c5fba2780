"""What happened with a family so far: everything this person may know of it, newest first.

Told over all invitations of the family, of the families it was made one with, and of those its
children came from, these only until the children left. Of an attempt the caregiver is named
who still has a say; of a promise coordinators learn that there is one, and not what it says.
"""

import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from families.households import earlier_students
from families.models import Family
from pthv import wording
from pthv.access import Can
from pthv.models import Message, User, full_name
from visits import families
from visits.models import (
    ContactAttempt,
    FollowUp,
    Invitation,
    InvitationAnswer,
    Visit,
    VisitParticipant,
)
from visits.models.team import TeamMember

Entry = dict[str, Any]


Earlier = dict[int, datetime.datetime | None]


def with_past(found: QuerySet[Family]) -> QuerySet[Family]:
    """With what `earlier` reads, at no query of its own."""
    before = earlier_students().filter(pgh_obj__family=OuterRef("pk")).exclude(family=None)
    merged = Family.objects.filter(merged_into=OuterRef("pk"))
    return found.annotate(
        came_from=ArraySubquery(
            before.values(told=JSONObject(family="family_id", until="pgh_created_at"))
        ),
        made_of=ArraySubquery(merged.values("pk")),
    )


def earlier(family: Any) -> Earlier:
    """Other families whose story is this one's too: until when, or all of it (None)."""
    found: dict[int, datetime.datetime] = {}
    for before in family.came_from:
        until, known = _instant(before["until"]), found.get(before["family"])
        found[before["family"]] = max(until, known) if known else until
    return {pk: until for pk, until in found.items() if pk != family.pk} | dict.fromkeys(
        family.made_of
    )


def invitations(family: Family, earlier: Earlier, user: User, can: Can) -> list[Any]:
    """The invitations of the family and of `earlier` ones, each with its `attempts_made`,
    `answers_given`, `team_names`, and whether it is `mine` to act on."""
    attempts = ContactAttempt.objects.filter(invitation=OuterRef("pk")).order_by("pk")
    answers = InvitationAnswer.objects.filter(invitation=OuterRef("pk")).order_by("pk")
    team = TeamMember.objects.filter(team=OuterRef("team")).order_by("-is_lead", "pk")
    mine = Invitation.objects.open_to(user, can).filter(pk=OuterRef("pk"))
    return list(
        Invitation.objects.filter(family__in=[family.pk, *earlier])
        .select_related("school", "school_year", "educator__user", "answered_by")
        .annotate(
            mine=Exists(mine),
            team_names=ArraySubquery(team.values(name=full_name("educator__user__"))),
            attempts_made=ArraySubquery(
                attempts.values(
                    told=JSONObject(
                        at="made_at",
                        channel="channel",
                        outcome="outcome",
                        caregiver="caregiver_id",
                        by=full_name("made_by__"),
                        message="message__state",
                    )
                )
            ),
            answers_given=ArraySubquery(
                answers.values(
                    told=JSONObject(
                        at="given_at",
                        answer="answer",
                        caregiver="caregiver_id",
                        by=full_name("recorded_by__"),
                        itself=Q(recorded_by=None),
                        counted="counted",
                    )
                )
            ),
        )
        .order_by("school_year__starts_on", "pk")
    )


def visits(invitations: list[Any], user: User, can: Can) -> list[Any]:
    """Their visits, each with its `promises`, whether this person goes or went (`mine`), and
    whether its page is open to them."""
    with_team = [one.pk for one in invitations if one.team_id]
    if not with_team:
        return []
    reach = user.reach(can)
    promises = FollowUp.objects.filter(visit=OuterRef("pk")).order_by("pk")
    going = VisitParticipant.objects.filter(visit=OuterRef("pk"), educator__in=reach.educators)
    open_to_them = Visit.objects.open_to(user, Can.SEE_VISITS).filter(pk=OuterRef("pk"))
    return list(
        Visit.objects.filter(invitation__in=with_team)
        .select_related("program")
        .annotate(
            mine=Exists(going),
            page_open=Exists(open_to_them),
            promises=ArraySubquery(
                promises.values(
                    told=JSONObject(
                        promise="promise",
                        due_on="due_on",
                        kept_at="kept_at",
                        outcome="outcome",
                        made_at="visit__log__logged_at",
                        owner=full_name("owner__user__"),
                    )
                )
            ),
        )
        .order_by("pk")
    )


def tell(
    family: Family,
    invitations: list[Any],
    visits: list[Any],
    earlier: Earlier,
    user: User,
    can: Can,
) -> list[Entry]:
    """The entries of the timeline."""
    reach = user.reach(can)
    here = families.schools(reach)
    speaking = {person.pk: str(person) for person in family.standing}
    told = []
    by_invitation: dict[int, list[Any]] = {}
    for visit in visits:
        by_invitation.setdefault(visit.invitation_id, []).append(visit)
    for invitation in invitations:
        if not (reach.program or invitation.mine or invitation.school_id in here):
            continue
        entries = _attempts(invitation, speaking) + _answers(invitation, speaking)
        for visit in by_invitation.get(invitation.pk, ()):
            entries += _visit(visit, tells_all=bool(reach.program or reach.schools))
        until = earlier.get(invitation.family_id)
        told += [entry for entry in entries if until is None or entry["at"] <= until]
    return sorted(told, key=lambda entry: entry["at"], reverse=True)


def _attempts(invitation: Any, speaking: dict[int, str]) -> list[Entry]:
    channels = dict(ContactAttempt.Channel.choices)
    outcomes = dict(ContactAttempt.Outcome.choices)
    messages = dict(Message.State.choices)
    return [
        {
            "at": _instant(tried["at"]),
            "text": f"{channels[tried['channel']]} · "
            f"{messages[tried['message']] if tried['message'] else outcomes[tried['outcome']]}",
            "note": speaking.get(tried["caregiver"], ""),
            "by": tried["by"].strip(),
        }
        for tried in invitation.attempts_made
    ]


def _answers(invitation: Any, speaking: dict[int, str]) -> list[Entry]:
    """Each answer as it was given; of invitations from before answers were kept, the last."""
    if not invitation.answers_given:
        return _answer(invitation)
    words = dict(InvitationAnswer.Answer.choices)
    school = "" if invitation.mine else str(invitation.school)
    return [
        {
            "at": _instant(given["at"]),
            "text": _("They answered: %(what)s") % {"what": words[given["answer"]]},
            "note": " · ".join(
                filter(
                    None,
                    [
                        speaking.get(given["caregiver"], ""),
                        "" if given["counted"] else _("another answer counts"),
                        school,
                    ],
                )
            ),
            "by": _("by their link") if given["itself"] else given["by"],
            "done": given["counted"] and given["answer"] == InvitationAnswer.Answer.ACCEPTED,
        }
        for given in invitation.answers_given
    ]


def _answer(invitation: Any) -> list[Entry]:
    if not invitation.answered_at:
        return []
    return [
        {
            "at": invitation.answered_at,
            "text": invitation.get_state_display(),
            "note": "" if invitation.mine else str(invitation.school),
            "by": invitation.answered_by,
            "done": invitation.state == Invitation.State.ACCEPTED,
        }
    ]


def _visit(visit: Any, *, tells_all: bool) -> list[Entry]:
    entries: list[Entry] = [
        {
            "at": visit.completed_at or visit.held_at or visit.ended_at or visit.scheduled_at,
            "text": f"{visit.get_kind_display()} · {visit.get_state_display()}",
            "note": _("for %s") % wording.moment(visit.during.lower),
            "url": visit.get_absolute_url() if visit.page_open else "",
            "done": visit.state == Visit.State.COMPLETED,
        }
    ]
    if visit.mine or tells_all:
        entries += [_promise(promised, visit) for promised in visit.promises]
    return entries


def _promise(promised: dict[str, Any], visit: Any) -> Entry:
    if promised["kept_at"]:
        kept = promised["outcome"] == FollowUp.Outcome.KEPT
        text = _("A promise was kept") if kept else _("A promise was settled otherwise")
        at = promised["kept_at"]
    else:
        text, at = _("A promise was made"), promised["made_at"]
    due_on = datetime.date.fromisoformat(promised["due_on"])
    due = _("by %(when)s") % {"when": wording.weekday(due_on)}
    return {
        "at": _instant(at) if at else visit.held_at,
        "text": text,
        # What was promised is for those who were there.
        "note": " · ".join(filter(None, [promised["promise"] if visit.mine else "", due])),
        "by": promised["owner"],
        "done": bool(promised["kept_at"]),
    }


def _instant(text: str) -> datetime.datetime:
    found = parse_datetime(text)
    assert found is not None
    return found
