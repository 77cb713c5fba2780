"""Who interprets at visits, in the order in which they are asked.

Never a student: each of them is confirmed to be an adult. An educator who speaks a language is
asked only if they said themselves that they may be.
"""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from families.models import Student
from pthv import audit, clock
from pthv.blocked import NotReady, raise_if
from pthv.models import Educator, Program, User
from visits import interpreting
from visits.models import Interpreter

FIELDS = ("kind", "given_name", "family_name", "email", "phone", "languages", "hourly_rate")
ADDRESSES = ("email", "phone")


def blockers(
    facts: dict[str, Any], *, row: Interpreter | None = None, namesake: bool = False
) -> list[str]:
    """Why somebody with these facts can't be on the rota.

    `namesake`: whoever adds them says that the student of that name is somebody else.
    """
    reasons = []
    name = {"name": f"{facts['given_name']} {facts['family_name']}".strip()}
    if not (facts["email"] or facts["phone"]):
        reasons.append(_("Give an e-mail address or a phone number: they are asked by it."))
    others = Interpreter.objects.filter(ended_on=None).exclude(pk=row.pk if row else None)
    known = Q(email__iexact=facts["email"]) & ~Q(email="") | Q(phone=facts["phone"]) & ~Q(phone="")
    if (other := others.filter(known).first()) is not None:
        reasons.append(_("%(name)s is on the rota with that address.") % {"name": other})
    if row is None or row.educator_id is None:
        found = Educator.objects.staying().select_related("user")
        visits_too = found.filter(user__email__iexact=facts["email"] or None).first()
        if visits_too is not None:
            reasons.append(
                _(
                    "%(name)s visits families. Only they can say that they may be asked to "
                    "interpret, too: under More, “May we ask you to interpret?”"
                )
                % {"name": visits_too}
            )
    if not namesake and called_like_a_student(facts):
        reasons.append(
            _(
                "A student here is called %(name)s. A student never interprets. If this is an "
                "adult of the same name, say so below."
            )
            % name
        )
    return reasons


def called_like_a_student(facts: dict[str, Any]) -> bool:
    """Whether a child on the roster has this name."""
    given, family = facts["given_name"].strip(), facts["family_name"].strip()
    called = Q(given_name__iexact=given) | Q(preferred_name__iexact=given)
    return Student.objects.enrolled().filter(called, family_name__iexact=family).exists()


@transaction.atomic
def add(
    program: Program, facts: dict[str, Any], *, by: User, namesake: bool = False
) -> Interpreter:
    """Put an adult on the rota, to be asked last."""
    _lock(program)
    raise_if(blockers(facts, namesake=namesake))
    interpreter = Interpreter.objects.create(
        program=program,
        **{name: facts[name] for name in FIELDS},
        position=_last(program),
        adult_confirmed_at=clock.now(),
        adult_confirmed_by=by,
    )
    said = {"namesake": True} if namesake else {}
    audit.record("interpreter.added", interpreter, by=by, **said)
    return interpreter


@transaction.atomic
def change(
    interpreter: Interpreter, facts: dict[str, Any], *, by: User, namesake: bool = False
) -> Interpreter:
    """Put right what we know of them; what they were sent to a wrong address opens nothing more."""
    _lock(interpreter.program)
    interpreter = Interpreter.objects.select_for_update(no_key=True).get(pk=interpreter.pk)
    changed = [name for name in FIELDS if getattr(interpreter, name) != facts[name]]
    if not changed:
        return interpreter
    raise_if(blockers(facts, row=interpreter, namesake=namesake))
    for name in changed:
        setattr(interpreter, name, facts[name])
    interpreter.save(update_fields=changed)
    audit.record("interpreter.changed", interpreter, by=by, fields=changed)
    if set(changed) & set(ADDRESSES):
        interpreting.send_to_new_address(interpreter)
    return interpreter


@transaction.atomic
def end(interpreter: Interpreter, *, by: User) -> Interpreter:
    """Take somebody off the rota; where they were to interpret, the next is asked."""
    interpreting.give_back(interpreter, by=by)
    interpreter = Interpreter.objects.select_for_update(no_key=True).get(pk=interpreter.pk)
    if interpreter.ended_on is None:
        interpreter.ended_on = interpreter.program.today
        interpreter.save(update_fields=["ended_on"])
        audit.record("interpreter.ended", interpreter, by=by)
    return interpreter


@transaction.atomic
def move(interpreter: Interpreter, language: str, *, up: bool, by: User) -> None:
    """Let somebody be asked before the one before them in a language, or after the next.

    The order is one for all languages.
    """
    program = interpreter.program
    _lock(program)
    standing = list(Interpreter.objects.filter(ended_on=None).order_by("position", "pk"))
    beside = [one for one in standing if language in one.languages]
    if interpreter not in beside:
        raise NotReady(_("%(name)s is not on the rota any more.") % {"name": interpreter})
    place = beside.index(interpreter) + (-1 if up else 1)
    if not 0 <= place < len(beside):
        return
    other = beside[place]
    standing.remove(interpreter)
    standing.insert(standing.index(other) + (0 if up else 1), interpreter)
    for position, one in enumerate(standing):
        one.position = position
    Interpreter.objects.bulk_update(standing, ["position"])
    audit.record("interpreter.moved", interpreter, by=by, up=up, language=language)


@transaction.atomic
def be_asked(
    educator: Educator, willing: bool, *, by: User, languages: Sequence[str] = ()
) -> Interpreter | None:
    """An educator says whether they may be asked to interpret, too; nobody says so for them."""
    if educator.user_id != by.pk:
        raise NotReady(_("Only %(name)s can say so.") % {"name": educator})
    _lock(educator.program)
    interpreter = Interpreter.objects.filter(educator=educator).first()
    if not willing:
        if interpreter is not None and interpreter.willing:
            interpreter.willing = False
            interpreter.save(update_fields=["willing"])
            audit.record("interpreter.unwilling", interpreter, by=by)
        return interpreter
    if not languages:
        raise NotReady(_("Say which languages you interpret."))
    if interpreter is None:
        interpreter = Interpreter(
            program=educator.program,
            educator=educator,
            kind=Interpreter.Kind.STAFF,
            position=_last(educator.program),
            adult_confirmed_at=clock.now(),
            adult_confirmed_by=by,
        )
    user = educator.user
    interpreter.given_name, interpreter.family_name = user.given_name, user.family_name
    interpreter.email, interpreter.languages = user.email, list(languages)
    interpreter.willing, interpreter.ended_on = True, None
    interpreter.save()
    audit.record("interpreter.willing", interpreter, by=by)
    return interpreter


def _lock(program: Program) -> None:
    """One change of the rota at a time."""
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)


def _last(program: Program) -> int:
    highest = Interpreter.objects.filter(program=program).aggregate(Max("position"))
    return (highest["position__max"] or 0) + 1
