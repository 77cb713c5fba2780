"""What must never be written down, and the words by which a phone notices it while it is typed.

The text never leaves the phone for it: pages carry the words, static/js/never_record.js looks for
them. A word may end in * (any ending) and hold # (any digit); case and accents don't matter. A
program may have words of its own for a topic; docs/never-record.md says how ours were chosen and
how well they do.
"""

import re
import unicodedata
from typing import Any

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pthv.blocked import NotReady
from pthv.models import AuditEntry, Program, User

LANGUAGES = {"en": gettext_lazy("English"), "es": gettext_lazy("Spanish")}
LONGEST, MOST = 60, 80

TOPICS: dict[str, Promise] = {
    "papers": gettext_lazy("Immigration, citizenship or where somebody comes from"),
    "numbers": gettext_lazy("Social Security numbers"),
    "health": gettext_lazy("Health, a diagnosis or special education"),
    "money": gettext_lazy("Income, work or lunch status"),
    "belief": gettext_lazy("Religion or politics"),
    "law": gettext_lazy("Discipline or trouble with the law"),
    "harm": gettext_lazy("Weapons, alcohol or drugs"),
    "home": gettext_lazy("The state of the home, or who sleeps where"),
    "relationships": gettext_lazy("Who is with whom"),
}

OURS: dict[str, dict[str, str]] = {
    "papers": {
        "en": "immigra*, undocumented, illegally, visa, visas, green card, deport*, asylum, "
        "refugee*, citizenship, us citizen*, u.s. citizen*, work permit*, daca, "
        "border patrol, crossed the border, born in, country of origin, ice raid*, "
        "ice agent*, came here from",
        "es": "inmigra*, migratori*, indocumentad*, sin papeles, no tiene papeles, "
        "no tienen papeles, visa, visas, green card, tarjeta verde, deport*, asilo, "
        "refugiad*, ciudadanía, la migra, cruzó la frontera, cruzaron la frontera, nació en, "
        "nacieron en, país de origen, permiso de trabajo, residencia legal",
    },
    "numbers": {
        "en": "###-##-####, ### ## ####, social security, ssn",
        "es": "seguro social, número de seguro",
    },
    "health": {
        "en": "diagnos*, adhd, autis*, asthma*, medicat*, medicine for, on meds, therapist, "
        "in therapy, depress*, anxiety, seizure*, epilep*, diabet*, cancer, pregnan*, "
        "disab*, wheelchair, in the hospital, hospitalized, surgery, disorder, iep, "
        "504 plan, special ed*, mental health, bipolar, allerg*",
        "es": "diagn*, tdah, autis*, asma, medicament*, medicina para, en terapia, depres*, "
        "deprimid*, ansiedad, convulsi*, epilep*, diabet*, cáncer, embaraz*, discapaci*, "
        "silla de ruedas, en el hospital, hospitalizad*, cirugía, operaron, trastorno, "
        "educación especial, salud mental, alergi*, enfermo, enferma, enfermedad*, iep",
    },
    "money": {
        "en": "free lunch, reduced lunch, reduced-price, food stamps, snap benefits, welfare, wic, "
        "unemployed, lost his job, lost her job, lost their job, laid off, evict*, "
        "can't afford, can’t afford, cannot afford, behind on rent, pay the rent, homeless*, "
        "in a shelter, income, salary, poverty, in debt",
        "es": "almuerzo gratis, almuerzo reducido, cupones de alimentos, estampillas, desemplead*, "
        "sin trabajo, perdió el trabajo, perdió su trabajo, desaloj*, no les alcanza, "
        "no pueden pagar, pagar la renta, pagar el alquiler, sin hogar, ingresos, salario, "
        "sueldo, pobreza, deudas, gana al mes",
    },
    "belief": {
        "en": "church*, mosque*, temple, synagogue, pray, prays, prayer*, catholic*, muslim*, "
        "christians, christian family, christian church, jewish, hindu*, buddhis*, jehovah*, "
        "mormon*, evangelical*, religio*, atheis*, republican*, democrat, democrats, trump, "
        "biden, voted, votes for",
        "es": "iglesia*, mezquita*, templo, sinagoga, reza, rezan, rezar, católic*, musulm*, "
        "cristianos, judío, judía, judíos, hindú*, budis*, testigo de jehová, "
        "testigos de jehová, mormón*, evangélic*, religi*, ateo*, republican*, demócrata*, "
        "votó, votaron",
    },
    "law": {
        "en": "suspended, suspension*, expelled, detention, office referral*, arrest*, jail, "
        "prison, probation, parole, called the police, police came, police report, "
        "court date, in court, to court, custody, restraining order, felony, criminal, cps, "
        "child protective, gang, gangs",
        "es": "suspendid*, suspensión, expulsad*, arrest*, cárcel, prisión, preso, presa, "
        "libertad condicional, llamaron a la policía, vino la policía, llegó la policía, "
        "la corte, en juicio, juzgado, custodia, orden de restricción, orden de alejamiento, "
        "su abogad*, delito, pandilla*, antecedentes",
    },
    "harm": {
        "en": "gun, guns, rifle*, pistol*, weapon*, knife, knives, drunk, drinks a lot, "
        "drinking problem, alcohol*, beer, beers, marijuana, smokes weed, cocaine, meth, "
        "opioid*, drugs, overdos*, addict*, vape, vapes, vaping",
        "es": "pistola*, rifle*, un arma, armas, cuchillo*, borrach*, alcohol*, cerveza*, "
        "marihuana, cocaína, drogas, drogadict*, sobredosis, adict*, vapea*",
    },
    "home": {
        "en": "dirty, filthy, messy, cluttered, roach*, bedbug*, bed bugs, mold, smelled, "
        "smells bad, sleeps on, sleep on, sleeps in, sleep in the, shares a bed, "
        "share a bed, shares a room, one bedroom, one-bedroom, crowded, mattress*, "
        "broken window*, no furniture, no heat, trailer",
        "es": "suci*, desordenad*, cucaracha*, chinches, moho, huele mal, olía mal, duerme en, "
        "duermen en, comparten cama, comparten la cama, comparte cama, comparten cuarto, "
        "un solo cuarto, una recámara, hacinad*, colchón, colchones, ventana rota, "
        "sin muebles, sin calefacción",
    },
    "relationships": {
        "en": "divorc*, separated from, boyfriend, girlfriend, ex-husband, ex husband, ex-wife, "
        "ex wife, her ex, his ex, single mom, single mother, single dad, single father, "
        "remarried, cheated on, affair, domestic violence, broke up, live together unmarried",
        "es": "divorci*, está separad*, están separad*, padres separados, novio, novia, ex esposo, "
        "ex esposa, exesposo, exesposa, su ex, madre soltera, padre soltero, mamá soltera, "
        "papá soltero, se volvió a casar, amante, infidelidad, violencia doméstica, concubin*",
    },
}


def words(program: Program, topic: str, language: str) -> list[str]:
    """The program's own, or else ours."""
    own = program.never_record.get(topic, {}).get(language)
    return own if own is not None else listed(OURS[topic][language])


def is_own(program: Program, topic: str) -> bool:
    return topic in program.never_record


def for_page(program: Program) -> list[dict[str, Any]]:
    """What the script needs: of each topic its name, and all its words."""
    return [
        {
            "topic": str(label),
            "words": sorted({one for tag in LANGUAGES for one in words(program, topic, tag)}),
        }
        for topic, label in TOPICS.items()
    ]


def noticed(program: Program, text: str) -> list[str]:
    """The topics that a short text touches, as the phone would see it: for what is saved as a
    word of everybody's, never for what somebody wrote."""
    given = _plain(text)
    return [
        str(label)
        for topic, label in TOPICS.items()
        if any(
            re.search(_pattern(word), given)
            for language in LANGUAGES
            for word in words(program, topic, language)
        )
    ]


def _plain(text: str) -> str:
    parted = unicodedata.normalize("NFD", text.replace("’", "'"))
    return "".join(one for one in parted if not unicodedata.combining(one)).lower()


def _pattern(word: str) -> str:
    kept = re.escape(_plain(word)).replace(r"\*", r"\w*").replace(r"\#", r"\d")
    return rf"(?<!\w){kept}(?!\w)"


def listed(typed: str) -> list[str]:
    """Words typed with commas or on lines of their own."""
    found = (" ".join(word.split()) for word in typed.replace("\n", ",").split(","))
    return list(dict.fromkeys(re.sub(r"\*+", "*", word) for word in found if word))


@transaction.atomic
def change(program: Program, topic: str, said: dict[str, str], *, by: User) -> None:
    """Let the program's own words of a topic stand for ours; `said`: typed, by language."""
    own = {language: listed(said.get(language, "")) for language in LANGUAGES}
    for found in own.values():
        if len(found) > MOST or any(len(word) > LONGEST for word in found):
            raise NotReady(
                _("Up to %(most)s words or phrases, each of up to %(longest)s letters.")
                % {"most": MOST, "longest": LONGEST}
            )
        if odd := [word for word in found if re.search(r"\*(?! |$)", word)]:
            # Several in one word would keep a phone, or us, busy for minutes.
            raise NotReady(_("In “%(word)s” the * must end its word.") % {"word": odd[0]})
        short = [word for word in found if "#" not in word and len(word.strip("* ")) < 2]
        if short:
            raise NotReady(_("“%(word)s” is too short to look for.") % {"word": short[0]})
    _save(program, {topic: own}, by)


@transaction.atomic
def back_to_ours(program: Program, topic: str, *, by: User) -> None:
    _save(program, {topic: None}, by)


def _save(program: Program, changed: dict[str, Any], by: User) -> None:
    Program.objects.select_for_update().get(pk=program.pk)
    program.refresh_from_db(fields=["never_record"])
    found = program.never_record | changed
    program.never_record = {topic: own for topic, own in found.items() if own is not None}
    program.save(update_fields=["never_record"])
    AuditEntry.objects.create(
        program=program,
        event="program.never_record",
        subject_type="program",
        subject_id=program.pk,
        by=by,
        facts={"topics": sorted(changed)},
    )
