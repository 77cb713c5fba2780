"""The columns of our own files: what each says, and which of a file's columns is which of ours."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from families.models import RosterImport
from pthv.models import Program
from pthv.tables import columns
from pthv.tables.columns import Column, Places

Kind = RosterImport.Kind
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
    """Where each of our columns stands in a file, as far as its titles say it."""
    return columns.match(headings, ours, _likeness)


def _likeness(column: Column, heading: str) -> float:
    found = columns.likeness(column, heading, WHOSE)
    of_child = column is not STUDENT and CHILD.intersection(columns.words(heading))
    return 0 if of_child and found <= columns.NAMED else found
