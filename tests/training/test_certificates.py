"""The certificate on paper, and the page that says whether it counts."""

import datetime
import io

import pytest
from django.urls import reverse
from pypdf import PdfReader

from pthv import clock
from pthv.blocked import NotReady
from pthv.models import AuditEntry
from tests.conftest import at
from training import certificates, certification
from training.models import Certification, Course, code_in_groups

VERIFY_AT = "https://visits.example/certificates/"
NO_FONT_HAS_IT = "\U0010fffd"


def printed(held: Certification) -> PdfReader:
    return PdfReader(io.BytesIO(certificates.pdf(held, verify_at=VERIFY_AT)))


def words(reader: PdfReader) -> str:
    return " ".join(reader.pages[0].extract_text().split())


def called(held: Certification, given: str, family: str = "") -> Certification:
    user = held.educator.user
    user.given_name, user.family_name = given, family
    user.save()
    return held


@pytest.fixture
def verify(client):
    def get(code: str, address: str = "192.0.2.1"):
        return client.get(reverse("certificate_verify"), {"code": code}, REMOTE_ADDR=address)

    return get


def test_the_paper_says_who_learnt_what_and_until_when_it_counts(certified):
    text = words(printed(certified))

    for said in (
        "Willow Creek",
        "Certificate of training",
        "Ana Ruiz",
        "Introduction",
        "Training hours 3",
        "Issued on October 1, 2026",
        "Valid until September 30, 2028",
        "visits.example/certificates/",
        code_in_groups(certified.code),
    ):
        assert said in text


def test_the_paper_is_one_landscape_page_that_can_be_read_aloud(certified):
    reader = printed(certified)
    root = reader.root_object

    assert len(reader.pages) == 1
    assert tuple(reader.pages[0].mediabox[2:]) == (792, 612)
    assert root["/MarkInfo"]["/Marked"].value is True
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en"
    assert reader.metadata.title == "Certificate of training: Ana Ruiz"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert "<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data().decode()
    kinds = tags(root["/StructTreeRoot"])
    assert kinds.count("H1") == 1
    assert kinds.count("Figure") == 1  # the QR code; what only decorates is left out


def tags(node) -> list[str]:
    """The kinds of a structure tree's elements; each picture has words."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        return [kind for child in node for kind in tags(child)]
    if not isinstance(node, dict):
        return []
    kind = [node["/S"][1:]] if "/S" in node else []
    if kind == ["Figure"]:
        assert "where this certificate is checked" in node["/Alt"]
    return kind + tags(node.get("/K", []))


@pytest.mark.parametrize(
    "name",
    [
        "Nguyễn Thị Ánh",
        "Łukasz Żółć-Ćwikła",
        "Ольга Жук",
        "李小龍",
        "한지민",
        "Kahoʻolawe O'Brien",
        '*bold* #sys.inputs $x$ <a> "quoted" \\ `code` @ref',
        "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaft",
    ],
)
def test_a_name_is_printed_letter_by_letter(certified, name):
    assert name in words(printed(called(certified, name)))


def test_a_name_from_right_to_left_is_there_in_all_its_letters(certified):
    text = words(printed(called(certified, "محمد", "العربي")))

    assert "محمد" in text
    assert "العربي" in text


def test_a_name_that_no_font_can_show_is_refused_and_never_printed_as_boxes(certified):
    with pytest.raises(NotReady, match="has no letters to print"):
        printed(called(certified, NO_FONT_HAS_IT))


def test_the_same_certificate_is_the_same_file(certified):
    file = certificates.pdf(certified, verify_at=VERIFY_AT)

    with clock.at(at(20, 9)):
        assert certificates.pdf(certified, verify_at=VERIFY_AT) == file


def test_a_revoked_one_is_printed_no_more(certified, program_coordinator, client):
    certification.revoke(certified, because="A reason", by=program_coordinator)
    client.force_login(program_coordinator)

    response = client.get(reverse("certificate_pdf", args=[certified.pk]))

    assert response.status_code == 409
    assert "was revoked, so there is no certificate" in response.content.decode()


def test_an_educator_opens_their_own_and_nobody_elses(client, educator, partner, certified):
    url = reverse("certificate_pdf", args=[certified.pk])

    client.force_login(educator)
    response = client.get(url)
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF")
    assert f"testserver{reverse('certificate_verify')}" in words(
        PdfReader(io.BytesIO(response.content))
    )

    client.force_login(partner)
    assert client.get(url).status_code == 404


def test_pages_of_who_is_certified_lead_to_the_paper(
    client, program_coordinator, site_coordinator, certified
):
    paper = reverse("certificate_pdf", args=[certified.pk])

    client.force_login(program_coordinator)
    page = client.get(reverse("certification_issue", args=[certified.educator_id]))
    assert paper in page.content.decode()

    client.force_login(certified.educator.user)
    assert paper in client.get(reverse("own_training")).content.decode()

    client.force_login(site_coordinator)
    assert paper in client.get(reverse("certification_list")).content.decode()
    assert client.get(paper)["Content-Type"] == "application/pdf"

    certification.revoke(certified, because="A reason", by=program_coordinator)
    assert paper not in client.get(reverse("certification_list")).content.decode()


@pytest.mark.parametrize(
    "typing",
    [
        lambda code: code,
        code_in_groups,
        lambda code: f"  {code_in_groups(code.lower()).replace(' ', ' - ')} ",
        lambda code: code.replace("O", "0").replace("I", "1").replace("B", "8"),
    ],
)
def test_a_code_is_known_however_it_is_typed(verify, certified, typing):
    page = verify(typing(certified.code))

    assert page.status_code == 200
    text = page.content.decode()
    assert "It is valid until September 30, 2028." in text
    assert "Ana Ruiz" in text
    assert "Introduction" in text
    assert "Willow Creek" in text
    assert "ana.ruiz@example.org" not in text


def test_the_link_on_the_paper_leads_to_the_page(client, certified):
    link = printed(certified).pages[0]["/Annots"][0].get_object()["/A"]["/URI"]

    assert link.startswith(VERIFY_AT)
    page = client.get(reverse("certificate_verify") + link.removeprefix(VERIFY_AT))
    assert "It is valid until" in page.content.decode()


def test_one_that_has_ended_says_so_from_the_day_after_on(verify, certified):
    last_evening = datetime.datetime(2028, 9, 30, 23, 30, tzinfo=certified.program.zone)

    with clock.at(last_evening):
        assert "It is valid until September 30, 2028." in verify(certified.code).content.decode()
    with clock.at(last_evening + datetime.timedelta(hours=1)):
        assert "It ended on September 30, 2028." in verify(certified.code).content.decode()


def test_a_revoked_one_says_when_and_never_why(verify, certified, program_coordinator):
    with clock.at(at(7, 23, 30)):  # the 8th in UTC
        certification.revoke(certified, because="Secret reason", by=program_coordinator)

    text = verify(certified.code).content.decode()

    assert "It was revoked on October 7, 2026 and counts no more." in text
    assert "valid until" not in text
    assert "Secret reason" not in text


@pytest.mark.parametrize("code", ["NOSUCHCODE", "-", "\x00", "٣٣٣", "A" * 5000, "' OR 1=1 --"])
def test_an_unknown_code_says_so(verify, certified, code):
    page = verify(code)

    assert page.status_code == 404
    assert "No certificate has this code" in page.content.decode()


def test_the_page_is_found_by_nobody_else_and_kept_nowhere(verify, certified):
    before = AuditEntry.objects.count()
    page = verify(certified.code)

    assert "noindex" in page["X-Robots-Tag"]
    assert "no-store" in page["Cache-Control"]
    assert AuditEntry.objects.count() == before


def test_whoever_guesses_is_stopped_and_nobody_else(verify, certified):
    guesses = [verify(f"GUESS{number}").status_code for number in range(25)]

    assert guesses == [404] * 20 + [429] * 5
    stopped = verify(certified.code)
    assert stopped.status_code == 429
    assert "Ana Ruiz" not in stopped.content.decode()
    assert "Too many wrong codes" in stopped.content.decode()
    assert verify(certified.code, address="192.0.2.2").status_code == 200


def test_an_office_may_check_as_many_papers_as_it_has(verify, certified):
    assert {verify(certified.code).status_code for _ in range(30)} == {200}


def test_no_two_certificates_have_the_same_code(certified, ana, program_coordinator):
    other = Course.objects.create(program=certified.program, name="Refresher", hours=1)

    second = certification.issue(ana, other, on=certified.issued_on, by=program_coordinator)

    assert second.code != certified.code
    assert len(second.code) == len(certified.code) == 26
