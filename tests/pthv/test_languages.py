"""What families are written to in, and who vouches for it."""

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from pthv import catalogues, languages
from pthv.blocked import NotReady
from pthv.models import LanguageReview, Program

READ = "admin:pthv_languagereview_read"


@pytest.fixture
def admin_client(administrator) -> Client:
    client = Client()
    client.force_login(administrator)
    return client


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("es", "es"),
        ("es-MX", "es"),
        ("pt-BR", "pt"),
        ("vi", "vi"),
        ("zh", "zh-hans"),
        ("zh-Hant", "zh-hans"),
        ("cmn", "zh-hans"),
        ("yue-HK", "zh-hans"),
        ("zh-hans", "zh-hans"),
        ("AR-eg", "ar"),
        ("arb", "ar"),
        ("en-GB", "en"),
        ("so", "en"),
        ("und", "en"),
        ("", "en"),
        ("esx", "en"),
    ],
)
def test_a_family_is_written_to_in_the_nearest_language(tag, code):
    assert languages.offered(Program(), tag) == code


def test_a_program_writes_in_what_it_offers_and_in_english():
    program = Program(languages_offered=["vi", "xx"])

    assert languages.choices(program) == [("en", "English"), ("vi", "Tiếng Việt")]
    assert languages.offered(program, "es") == "en"
    assert languages.offered(program, "vi") == "vi"


def test_a_program_that_does_not_choose_offers_every_language(program, settings):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pthv_program SET languages_offered = DEFAULT")

    program.refresh_from_db()
    assert program.languages_offered == [code for code, _name in settings.LANGUAGES]


def test_each_language_has_the_name_its_readers_call_it_by(settings):
    assert list(languages.AUTONYMS) == [code for code, _name in settings.LANGUAGES]


def test_a_language_is_a_draft_until_it_is_signed_off(db, administrator):
    assert languages.drafted() == {"es", "pt", "vi", "zh-hans", "ar"}
    assert not languages.is_drafted("en")

    now = catalogues.fingerprint("vi")
    review = languages.sign_off("vi", speaker="Lan Trần", read=now, by=administrator)

    assert languages.sign_off("vi", speaker="Else", read=now, by=administrator) == review
    assert languages.drafted() == {"es", "pt", "zh-hans", "ar"}
    assert not languages.is_drafted("vi") and languages.is_drafted("es")
    assert (review.speaker, review.signed_off_by) == ("Lan Trần", administrator)


def test_it_lapses_when_a_sentence_changes(db, administrator, monkeypatch):
    now = catalogues.fingerprint("vi")
    languages.sign_off("vi", speaker="Lan Trần", read=now, by=administrator)
    said = catalogues.sentences("vi")
    monkeypatch.setattr(catalogues, "sentences", lambda _code: [*said[1:], ("Hello", ["Chào"])])
    catalogues.fingerprint.cache_clear()

    try:
        assert languages.is_drafted("vi")
        assert "vi" in languages.drafted()
        with pytest.raises(NotReady, match="have changed since you read them"):
            languages.sign_off("vi", speaker="Lan Trần", read=now, by=administrator)
    finally:
        catalogues.fingerprint.cache_clear()


def test_no_two_languages_share_a_fingerprint():
    assert len({catalogues.fingerprint(code) for code in catalogues.TRANSLATED}) == 5


def test_whether_it_is_a_draft_costs_one_query(db, django_assert_num_queries):
    languages.is_drafted("es")
    with django_assert_num_queries(1):
        languages.is_drafted("es")
    with django_assert_num_queries(1):
        languages.drafted()
    with django_assert_num_queries(0):
        languages.is_drafted("en")


def test_a_speaker_reads_every_sentence_and_signs_off(admin_client, administrator):
    url = reverse(READ, args=["es"])
    page = admin_client.get(url)
    shown = page.content.decode()
    english, said = catalogues.sentences("es")[0]

    assert f'<td lang="en">{english}</td><td lang="es" dir="auto">{said[0]}</td>' in shown
    assert shown.count('<td lang="en">') == len(catalogues.sentences("es"))
    refused = admin_client.post(url, {"speaker": "", "read": catalogues.fingerprint("es")})
    assert not LanguageReview.objects.exists() and refused.status_code == 200
    old = {"speaker": "Marta", "read": "0" * 64}
    stale = admin_client.post(url, old, follow=True).content.decode()
    assert "have changed since you read them" in stale
    assert f'value="{catalogues.fingerprint("es")}"' in stale
    form = {"speaker": "Marta Díaz", "read": catalogues.fingerprint("es")}
    done = admin_client.post(url, form, follow=True)

    assert "Signed off by Marta Díaz" in done.content.decode()
    assert done.content.decode().count("Machine-drafted") == 4
    assert 'name="speaker"' not in admin_client.get(url).content.decode()
    assert not languages.is_drafted("es")


@pytest.mark.parametrize("code", ["en", "xx", "zh-hant"])
def test_there_is_nothing_to_read_of_other_languages(admin_client, code):
    assert admin_client.get(reverse(READ, args=[code])).status_code == 404


def test_only_administrators_sign_off(client, program_coordinator):
    client.force_login(program_coordinator)

    answered = client.post(reverse(READ, args=["es"]), {"speaker": "P", "read": "0"}, follow=True)

    assert answered.status_code == 403
    assert not LanguageReview.objects.exists()


def test_an_administrator_ticks_what_a_program_offers(admin_client, program):
    url = reverse("admin:pthv_program_change", args=[program.pk])
    page = admin_client.get(url)
    assert page.content.decode().count("(machine-drafted)") == 5
    form = page.context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    given = {name: value for name, value in data.items() if value not in (None, False)}
    assert form["languages_offered"].value() == ["en", "es", "pt", "vi", "zh-hans", "ar"]

    given |= {"languages_offered": ["es", "ar"], "quiet_from": "19:30", "remind_after_days": "7"}
    assert admin_client.post(url, given).status_code == 302

    program.refresh_from_db()
    assert program.languages_offered == ["es", "ar"]
    assert (str(program.quiet_from), program.remind_after_days) == ("19:30:00", 7)
    assert [code for code, _name in languages.choices(program)] == ["en", "es", "ar"]
    bad = admin_client.post(url, given | {"languages_offered": ["xx"]})
    assert "Select a valid choice" in bad.content.decode()


@pytest.mark.parametrize("path", ["/accounts/login/", "/families/", "/admin/", "/more/"])
def test_no_browsers_language_half_translates_the_pages_of_staff(
    client, admin_client, site_coordinator, path
):
    for who in (client, admin_client):
        if who is client and path != "/accounts/login/":
            who.force_login(site_coordinator)
        english = who.get(path, headers={"Accept-Language": "en"}, follow=True)
        spanish = who.get(path, headers={"Accept-Language": "es-MX,es;q=0.9"}, follow=True)

        assert spanish.status_code == english.status_code
        assert 'lang="es' not in spanish.content.decode()
        for word in ("Contraseña", "Correo", "Inicio", "Iniciar", "Cerrar"):
            assert word not in spanish.content.decode()


def test_whoever_words_messages_sees_what_nobody_has_vouched_for(
    client, program, program_coordinator, administrator
):
    client.force_login(program_coordinator)
    kinds, drafted = 9, "A machine drafted these words"
    vi = reverse("wording_edit", args=["thank_you"]) + "?language=vi"

    assert client.get("/wording/").content.decode().count("machine-drafted") == 5 * kinds
    assert drafted in client.get(vi).content.decode()
    assert drafted not in client.get(vi.replace("vi", "en")).content.decode()
    languages.sign_off(
        "vi", speaker="Lan Trần", read=catalogues.fingerprint("vi"), by=administrator
    )

    assert client.get("/wording/").content.decode().count("machine-drafted") == 4 * kinds
    assert drafted not in client.get(vi).content.decode()
    es = vi.replace("vi", "es")
    client.post(es, {"subject": "Gracias", "body": "Gracias, {caregiver}.", "save": "1"})
    assert drafted not in client.get(es).content.decode()
