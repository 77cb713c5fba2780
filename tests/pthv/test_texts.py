"""Texts through the provider's HTTP API and into a folder."""

import base64
import hashlib
import hmac
import os
import subprocess
import sys

import pytest
from django.conf import settings as project

from pthv import texts
from tests.conftest import NOW
from tests.text_provider import SECRET, SENDER

TEXT = texts.Text("+13125550142", "¿Podemos visitarles? 家访", "12", NOW, "https://x.example/t")


def nothing(name: str) -> bool:
    """Nothing it has is another message of ours."""
    return False


def test_a_text_goes_out_as_the_api_wants_it(stand_in):
    sid = texts.provider().send(TEXT)

    assert sid == stand_in.taken[0]["sid"]
    assert stand_in.forms == [
        {
            "To": "+13125550142",
            "From": SENDER,
            "Body": "¿Podemos visitarles? 家访",
            "StatusCallback": "https://x.example/t",
        }
    ]


def test_a_messaging_service_can_be_the_sender(stand_in, settings):
    settings.TEXT_URL = stand_in.url.replace(SENDER, "MG0f0f")

    texts.provider().send(TEXT)

    assert stand_in.forms[0]["MessagingServiceSid"] == "MG0f0f"
    assert "From" not in stand_in.forms[0]


@pytest.mark.parametrize(
    ("code", "problem"), [(21610, "stopped"), (21614, "refused"), (21211, "refused")]
)
def test_a_number_that_cannot_be_texted_is_refused(stand_in, code, problem):
    stand_in.refuses[TEXT.to] = code

    with pytest.raises(texts.Refused) as refused:
        texts.provider().send(TEXT)
    assert refused.value.problem == problem


def test_what_is_wrong_with_the_text_is_neither(stand_in):
    stand_in.refuses[TEXT.to] = 21617  # too long

    with pytest.raises(ValueError, match="21617"):
        texts.provider().send(TEXT)


@pytest.mark.parametrize("down", [401, 403, 429, 500, 503, "hangs up"])
def test_a_provider_in_trouble_is_unavailable(stand_in, down):
    stand_in.down = down

    with pytest.raises(texts.Unavailable):
        texts.provider().send(TEXT)
    with pytest.raises(texts.Unavailable):
        texts.provider().found(TEXT, nothing)


def test_a_provider_that_is_not_there_is_unavailable(settings):
    settings.TEXT_URL = "twilio://AC:t@127.0.0.1:9/?from=+15005550006"

    with pytest.raises(texts.Unavailable):
        texts.provider().send(TEXT)


def test_a_text_it_took_and_did_not_say_so_is_found(stand_in):
    stand_in.forgets_to_say = True
    with pytest.raises(texts.Unavailable):
        texts.provider().send(TEXT)

    assert texts.provider().found(TEXT, nothing) == stand_in.taken[0]["sid"]


def test_another_text_is_not_taken_for_it(stand_in):
    provider = texts.provider()
    provider.send(TEXT._replace(body="Another"))
    provider.send(TEXT._replace(to="+13125550143"))
    stand_in.taken[-1]["body"] = TEXT.body
    mine = provider.send(TEXT)

    assert provider.found(TEXT, nothing) == mine
    assert provider.found(TEXT, mine.__eq__) == ""  # that one was another message of ours
    stand_in.taken[-1]["date_created"] = "Tue, 06 Oct 2026 16:00:00 +0000"  # two hours before
    assert provider.found(TEXT, nothing) == ""


def test_one_it_took_and_could_not_deliver_is_refused(stand_in):
    texts.provider().send(TEXT)
    stand_in.taken[0] |= {"status": "undelivered", "error_code": 30006}

    with pytest.raises(texts.Refused):
        texts.provider().found(TEXT, nothing)


def test_only_the_provider_can_sign(stand_in):
    fields = {"To": "+1", "From": "+1312", "Body": "STOP"}
    url = "https://visits.example/texts/reply/?a=1"
    said = f"{url}BodySTOPFrom+1312To+1"
    digest = hmac.new(SECRET.encode(), said.encode(), hashlib.sha1).digest()
    signature = base64.b64encode(digest).decode()
    provider = texts.provider()

    assert provider.signed(url, fields, signature)
    assert not provider.signed(url, fields | {"Body": "START"}, signature)
    assert not provider.signed(url + "&b=1", fields, signature)
    assert not provider.signed(url, fields, "é")


def test_a_folder_gets_a_file_a_text(settings, tmp_path):
    settings.TEXT_URL = f"file://{tmp_path}/texts%20here"
    folder = texts.provider()
    assert folder.found(TEXT, nothing) == ""

    assert folder.send(TEXT) == folder.send(TEXT) == folder.found(TEXT, nothing) == "12.txt"

    (file,) = (tmp_path / "texts here").iterdir()
    assert file.read_text(encoding="utf-8") == f"To: {TEXT.to}\n\n{TEXT.body}\n"
    # Of an earlier database, say.
    assert folder.found(TEXT._replace(body="Another"), nothing) == ""
    assert not folder.signed("", {}, "")


@pytest.mark.parametrize("account", ["", "AC0123@", "AC0123:@", ":@"])
def test_a_provider_without_its_secret_is_refused_at_the_start(account):
    """Or anybody could sign what it says."""
    command = [sys.executable, "-c", "import pthv.settings"]
    url = f"twilio://{account}api.twilio.com/?from=%2B15005550006"
    done = subprocess.run(
        command,
        check=False,
        cwd=project.BASE_DIR,
        env=os.environ | {"TEXT_URL": url},
        capture_output=True,
        text=True,
    )

    assert done.returncode
    assert "TEXT_URL lacks the TOKEN" in done.stderr


def test_without_an_address_no_texts_are_offered(settings):
    assert texts.offered()
    settings.TEXT_URL = ""

    assert not texts.offered()
    with pytest.raises(texts.Unavailable):
        texts.provider()
