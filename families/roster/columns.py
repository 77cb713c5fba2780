"""The columns of our own files: what each says, and which of a file's columns is which of ours."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from families.models import RosterImport
from families.search import fold
from pthv.models import Program

Kind = RosterImport.Kind
Places = dict[str, int]

HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
WORD = re.compile(r"[^\W_]+")
# Words that say whose column it is, and not which.
WHOSE = frozenset(
    [
        "caregiver",
        "parent",
        "guardian",
        "contact",
        "adult",
        "primary",
        "main",
        "padre",
        "madre",
        "tutor",
        "1",
    ]
)
CHILD = frozenset(["student", "child", "pupil", "estudiante", "alumno"])
# As alike as "Telephon" and "Telephone".
ALIKE = 0.85
LONG_ENOUGH_TO_BE_MISSPELT = 5


@dataclass(frozen=True, slots=True)
class Column:
    """One column of ours: `spellings` are other titles of it, `examples` two cells."""

    name: str
    label: Promise
    meaning: Promise
    spellings: tuple[str, ...]
    examples: tuple[str, str]
    required: bool = False


STUDENT = Column(
    "student_id",
    _("Student id"),
    _("The student’s id, as the OneRoster file has it (sourcedId). One line for each student and "
      "caregiver."),
    ("student sourced id", "sourced id", "student number", "student", "student local id",
     "local student id", "pupil id", "sis id", "child id", "id estudiante", "id del estudiante",
     "numero de estudiante", "matricula"),
    ("1001", "1002"),
    required=True,
)  # fmt: skip

CONTACTS: tuple[Column, ...] = (
    STUDENT,
    Column(
        "household",
        _("Household"),
        _("The same word on every line of one family. Without it, each student is a family of "
          "their own, unless the program knows theirs."),
        ("household id", "family id", "family", "household number", "family number", "hogar",
         "familia"),
        ("H-1", "H-1"),
    ),
    Column(
        "given_name",
        _("Given name"),
        _("The caregiver’s given name or names."),
        ("first name", "first", "given", "forename", "nombre", "nombres", "prenom", "nome"),
        ("Ana", "Ana"),
        required=True,
    ),
    Column(
        "family_name",
        _("Family name"),
        _("The caregiver’s family name or names. One of the two names may be empty."),
        ("last name", "last", "surname", "surnames", "apellido", "apellidos", "nom", "sobrenome",
         "nom de famille"),
        ("Ramírez Ortiz", "Ramírez Ortiz"),
        required=True,
    ),
    Column(
        "preferred_name",
        _("Preferred name"),
        _("What the caregiver is called, if it isn’t the given name."),
        ("nickname", "called", "goes by", "known as", "preferred first name", "apodo"),
        ("Anita", ""),
    ),
    Column(
        "relation",
        _("Relation"),
        _("Who they are to the student: mother, grandfather, foster parent …"),
        ("relationship", "relation to student", "relationship to student", "parentesco",
         "relacion", "lien"),
        ("mother", "mother"),
    ),
    Column(
        "phone",
        _("Phone"),
        _("Numbers of other countries begin with + and the country’s code."),
        ("phone number", "mobile", "mobile phone", "cell", "cell phone", "telephone", "tel",
         "home phone", "mobile number", "cell number", "telephone number", "telefono", "celular",
         "movil", "telefone"),
        ("(503) 555-0123", ""),
    ),
    Column(
        "email",
        _("E-mail"),
        _("One address."),
        ("e mail", "email address", "e mail address", "mail", "correo", "correo electronico",
         "courriel"),
        ("ana@example.org", ""),
    ),
    Column(
        "language",
        _("Language"),
        _("The language to speak and write in: its name in English, its own name, or a tag such "
          "as es or pt-BR. Without one, the other caregivers’."),
        ("preferred language", "language preference", "correspondence language",
         "spoken language", "home language", "primary language", "idioma", "lengua", "langue",
         "lingua"),
        ("Spanish", "es"),
    ),
    Column(
        "preferred_channel",
        _("Preferred channel"),
        _("call, text or email."),
        ("channel", "contact by", "preferred contact", "contact method", "contact preference",
         "preferred contact method", "preferred method", "medio de contacto"),
        ("text", "call"),
    ),
    Column(
        "interpreter",
        _("Interpreter"),
        _("yes or no: the family wants an interpreter on a visit."),
        ("interpreter needed", "needs interpreter", "interpreter wanted", "interpreter required",
         "wants interpreter", "needs an interpreter", "interprete"),
        ("yes", ""),
    ),
    Column(
        "address",
        _("Address"),
        _("Where the family lives, in one cell. It may be left out: families can also choose "
          "another place."),
        ("home address", "street address", "mailing address", "street", "residence", "direccion",
         "domicilio", "adresse"),
        ("12 Elm St, Apt 3", ""),
    ),
    Column(
        "do_not_contact",
        _("Do not contact"),
        _("yes: nobody calls, writes to or invites this person. A file can say so and never take "
          "it back; that is done on the family’s page."),
        ("no contact", "dnc", "contact opt out", "opt out", "do not call", "no contactar"),
        ("", ""),
    ),
    Column(
        "address_confidential",
        _("Address confidential"),
        _("yes: only the visitors see the address, and only near a visit. Never taken back by a "
          "file."),
        ("confidential address", "address is confidential", "protected address",
         "address protected", "suppress address", "direccion confidencial"),
        ("", ""),
    ),
    Column(
        "may_decide",
        _("May decide"),
        _("no: this person can’t say yes or no to a visit. Never given back by a file."),
        ("may consent", "decision maker", "educational rights", "education rights",
         "has educational rights", "ed rights", "puede decidir"),
        ("", ""),
    ),
    Column(
        "may_read",
        _("May read"),
        _("no: this person can’t read what is written about the visits. Never given back by a "
          "file."),
        ("records access", "record access", "may see records", "has records access",
         "puede leer"),
        ("", ""),
    ),
)  # fmt: skip

ATTRIBUTES: tuple[Column, ...] = (
    STUDENT,
    Column(
        "home_language",
        _("Home language"),
        _("Its name in English, its own name, or a tag such as es or pt-BR."),
        ("language", "language at home", "primary language", "language spoken at home",
         "native language", "first language", "idioma", "idioma del hogar"),
        ("Spanish", "so"),
    ),
    Column(
        "english_learner",
        _("English learner"),
        _("yes or no."),
        ("english language learner", "ell", "el", "el status", "ell status", "lep", "mll",
         "multilingual learner", "emergent bilingual", "english learner status"),
        ("yes", "no"),
    ),
    Column(
        "race_ethnicity",
        _("Race and ethnicity"),
        _("One or several, with ; between them: American Indian or Alaska Native, Asian, Black or "
          "African American, Hispanic or Latino, Native Hawaiian or Other Pacific Islander, "
          "White, two or more races."),
        ("race", "ethnicity", "race ethnicity", "race and ethnicity", "ethnic group",
         "race or ethnicity", "federal race"),
        ("Hispanic or Latino; White", "Asian"),
    ),
    Column(
        "sex",
        _("Sex"),
        _("female, male, other or unspecified."),
        ("gender", "legal sex", "sexo"),
        ("female", "male"),
    ),
)  # fmt: skip


def of(kind: str, program: Program) -> tuple[Column, ...]:
    """The columns that this program takes from a file of this kind; no cell of others is read."""
    if kind == Kind.CONTACTS:
        return CONTACTS
    if kind == Kind.ATTRIBUTES:
        kept = program.attributes_kept
        return tuple(column for column in ATTRIBUTES if column.required or column.name in kept)
    return ()


def match(headings: Sequence[str], ours: Sequence[Column]) -> Places:
    """Where each of our columns stands in a file, as far as its titles say it.

    The best likeness is given away first; no column of the file is taken twice.
    """
    likenesses = [
        (-_likeness(column, heading), place, number)
        for number, column in enumerate(ours)
        for place, heading in enumerate(headings)
    ]
    found: Places = {}
    taken = set()
    for likeness, place, number in sorted(likenesses):
        name = ours[number].name
        if likeness and place not in taken and name not in found:
            found[name] = place
            taken.add(place)
    return {column.name: found[column.name] for column in ours if column.name in found}


def missing(columns: Mapping[str, int], ours: Sequence[Column]) -> list[Column]:
    """The columns that a file must have and for which none was named."""
    return [column for column in ours if column.required and column.name not in columns]


def _likeness(column: Column, heading: str) -> float:
    """How surely this title is that column's: 0 for not at all."""
    words = WORD.findall(fold(HUMPS.sub(" ", heading)))
    title = "".join(words)
    if not title:
        return 0
    names = [_joined(column.name), *map(_joined, column.spellings)]
    if title in names:
        return 4 - names.index(title) / 100
    if column is not STUDENT and CHILD.intersection(words):
        return 0
    shorter = "".join(word for word in words if word not in WHOSE)
    if shorter in names:
        return 3 - names.index(shorter) / 100
    if len(title) < LONG_ENOUGH_TO_BE_MISSPELT:
        return 0
    alike = max(SequenceMatcher(None, title, name).ratio() for name in names)
    return alike if alike >= ALIKE else 0


def _joined(words: str) -> str:
    return "".join(WORD.findall(words))
