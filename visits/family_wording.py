"""What messages to families say, in each language: our words, or a program's own."""

import re
from collections.abc import Mapping
from unicodedata import bidirectional

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import get_language_bidi, gettext_lazy
from django.utils.translation import gettext as _

from families.models import Caregiver, isolated
from pthv import audit, clock, languages, wording
from pthv.blocked import NotReady
from pthv.models import Program, User
from visits.family_words import A_TEACHER, PLACES, STOP, YOUR_CHILD, Words, no_trouble, ours
from visits.models import Invitation, MessageWording, Visit

NAMES = {
    "invitation": gettext_lazy("Invitation"),
    "please_answer": gettext_lazy("Please answer"),
    "thank_you": gettext_lazy("Thank you"),
    "visit_time": gettext_lazy("Time of the visit"),
    "visit_moved": gettext_lazy("New time of the visit"),
    "visit_swapped": gettext_lazy("Somebody else comes"),
    "visit_soon": gettext_lazy("Reminder of the visit"),
    "visit_cancelled": gettext_lazy("Visit cancelled"),
    "call": gettext_lazy("What to say on the phone"),
}
PLACEHOLDER = re.compile(r"\{(\w*)\}")
# What can be filled in, and what it becomes.
PLACEHOLDERS = {
    "school": gettext_lazy("the school"),
    "educators": gettext_lazy("first names of who visits"),
    "child": gettext_lazy("the child’s first name"),
    "no_trouble": gettext_lazy("“Your child is not in trouble.”"),
    "caregiver": gettext_lazy("first name of whom it is for"),
    "link": gettext_lazy("the family’s own link"),
    "when": gettext_lazy("day and time of the visit"),
    "place": gettext_lazy("where"),
    "phone": gettext_lazy("the school’s phone number"),
}
# A subject shows on a locked phone: it names no family and no child.
IN_SUBJECT = ("school",)
LINKED = ("invitation", "please_answer")
TIMED = ("visit_time", "visit_moved", "visit_swapped", "visit_soon", "visit_cancelled")
# Of a family, a school and people that nobody has.
INVENTED = {
    "school": "Lincoln School",
    "child": "Mateo",
    "caregiver": "Marta",
    "link": "https://visits.example/f/Qm9va3MgYXJlIGdvb2QgY29tcGFueQ/",
    "phone": "(503) 555-0100",
}


Own = Mapping[tuple[str, str], Words]


def of_program(kind: str, language: str) -> Words:
    """The program's own words, or ours where it has none."""
    own = MessageWording.objects.filter(kind=kind, language=language).first()
    return Words(own.subject, own.body) if own else ours(kind, language)


def own_words() -> Own:
    """All that the program says in its own words, by kind and language."""
    rows = MessageWording.objects.values_list("kind", "language", "subject", "body")
    return {(kind, language): Words(subject, body) for kind, language, subject, body in rows}


def language_of(invitation: Invitation, caregiver: Caregiver | None) -> str:
    """What to write in: the caregiver's language, else the family's, if the program offers it."""
    program, family = invitation.program, invitation.family.language
    spoken = caregiver.language if caregiver else family
    code = languages.offered(program, spoken)
    # English is what is left where a language is not offered.
    return (
        code if code != "en" or spoken.lower()[:2] == "en" else languages.offered(program, family)
    )


def compose(
    kind: str,
    invitation: Invitation,
    caregiver: Caregiver | None,
    *,
    language: str | None = None,
    visit: Visit | None = None,
    own: Own | None = None,
) -> Words:
    """What a message of this kind says to this caregiver; `{link}` stays, and is filled as it
    is sent. `own`: what the program says in its own words, where it is at hand."""
    language = language or language_of(invitation, caregiver)
    if own is None:
        words = of_program(kind, language)
    else:
        words = own.get((kind, language)) or ours(kind, language)
    with translation.override(language), timezone.override(invitation.program.zone):
        return _filled(words, _values(invitation, caregiver, visit))


def preview(words: Words, language: str, program: Program) -> Words:
    """What it would say to an invented family."""
    with translation.override(language), timezone.override(program.zone):
        values = INVENTED | {
            "educators": wording.listed(map(_isolated, ("Ana", "Ben"))),
            "when": wording.full_moment(clock.now().replace(minute=30), program),
            "place": str(PLACES[Visit.Place.HOME]),
            "no_trouble": no_trouble(1),
        }
        return _filled(words, values)


def _values(
    invitation: Invitation, caregiver: Caregiver | None, visit: Visit | None
) -> dict[str, str]:
    names = children(invitation)
    values = {
        "school": wording.upright(invitation.school.name),
        "educators": educators(invitation),
        "child": wording.listed(names) or str(YOUR_CHILD),
        "no_trouble": no_trouble(len(names)),
        "caregiver": wording.upright(caregiver.called) if caregiver else "",
        "phone": invitation.school.phone.as_national if invitation.school.phone else "",
    }
    if visit is not None:
        values["when"] = wording.full_moment(visit.during.lower, invitation.program)
        values["place"] = str(PLACES[Visit.Place(visit.place)])
    return values


def educators(invitation: Invitation) -> str:
    """First names of who visits, as a sentence has them."""
    people = invitation.people()
    return wording.listed(_isolated(first_name(educator.user)) for educator in people)


def first_name(user: User) -> str:
    """What families call one of us by; never an address."""
    given, family = wording.upright(user.given_name), wording.upright(user.family_name)
    return given or family or str(A_TEACHER)


def children(invitation: Invitation) -> list[str]:
    """First names of the family's children at the school that asks."""
    here = invitation.school_id
    found = [child.called for child in invitation.family.children if child.school_id == here]
    return [_isolated(wording.upright(name)) for name in found]


def _filled(words: Words, values: Mapping[str, str]) -> Words:
    return Words(_replaced(words.subject, values), _replaced(words.body, values))


def _replaced(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders filled; nothing in a name is read as one."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in values:
            return found[0]
        said = " ".join(values[name].split())
        return said if name == "link" else _isolated(said.translate(BRACES))

    filled = PLACEHOLDER.sub(value, text)
    # Without a name it is "Hello." and no hole.
    return re.sub(r" +([.,!?:])", r"\1", re.sub(r"  +", " ", filled)).strip()


BRACES = str.maketrans("{}", "()")


def _isolated(said: str) -> str:
    """A name, kept from turning a sentence round that runs the other way."""
    if not get_language_bidi():
        return isolated(said)
    turns = not said.startswith("\u2068") and any(bidirectional(letter) == "L" for letter in said)
    return f"\u2068{said}\u2069" if turns else said


def as_text(body: str, language: str) -> str:
    """The body as a text message has it: with how to end them."""
    with translation.override(language):
        return f"{body} {STOP}"


def blockers(kind: str, words: Words) -> list[str]:
    """Why a program's own words can't be used as they are."""
    reasons = []
    if not words.body.strip():
        reasons.append(_("Write what the message says."))
    if kind != "call" and not words.subject.strip():
        reasons.append(_("Write a subject for e-mails."))
    known = ", ".join(f"{{{name}}}" for name in placeholders(kind))
    if strange := _strange(words.body, placeholders(kind)):
        reasons.append(
            _("%(found)s can't be filled in here. Use: %(known)s.")
            % {"found": ", ".join(strange), "known": known}
        )
    if _strange(words.subject, IN_SUBJECT):
        reasons.append(_("Of these, a subject can only have {school}: it shows on locked phones."))
    if kind in LINKED and "{link}" not in words.body:
        reasons.append(_("Leave {link} in it: without it nobody can answer."))
    return reasons


def placeholders(kind: str) -> list[str]:
    """What can be filled in for this kind of message."""
    timed = kind in TIMED
    left_out = {"link"} if kind == "call" else set()
    left_out |= set() if timed else {"when", "place"}
    return [name for name in PLACEHOLDERS if name not in left_out]


def _strange(text: str, known: list[str] | tuple[str, ...]) -> list[str]:
    """What is in braces and can't be filled in, and braces left open."""
    found = [f"{{{name}}}" for name in PLACEHOLDER.findall(text) if name not in known]
    rest = PLACEHOLDER.sub("", text)
    return found + sorted({brace for brace in rest if brace in "{}"})


@transaction.atomic
def reword(
    program: Program, kind: str, language: str, words: Words, *, by: User
) -> MessageWording | None:
    """Let the program say it in its own words; ours again if they are the same."""
    words = Words(" ".join(words.subject.split()), words.body.replace("\r\n", "\n").strip())
    if reasons := blockers(kind, words):
        raise NotReady(*reasons)
    if words == ours(kind, language):
        back_to_ours(program, kind, language, by=by)
        return None
    own = MessageWording.objects.select_for_update().filter(kind=kind, language=language).first()
    if own and (own.subject, own.body) == words:
        return own
    said = {**words._asdict(), "changed_at": clock.now(), "changed_by": by}
    own, _new = MessageWording.objects.update_or_create(
        program=program, kind=kind, language=language, defaults=said
    )
    audit.record("wording.changed", own, by=by, kind=kind, language=language)
    return own


@transaction.atomic
def back_to_ours(program: Program, kind: str, language: str, *, by: User) -> None:
    """Give up the program's own words for ours; without any, nothing happens."""
    own = MessageWording.objects.filter(program=program, kind=kind, language=language)
    if (given_up := own.first()) is not None:
        audit.record("wording.given_up", given_up, by=by, kind=kind, language=language)
        own.delete()
