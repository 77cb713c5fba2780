"""The response headers, word for word, as production sends them."""

import os
import subprocess
import sys

import pytest
from django.test import Client
from django.urls import reverse

CSP = (
    "base-uri 'none'; connect-src 'self'; default-src 'none'; font-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; img-src 'self' data:; manifest-src 'self'; "
    "script-src 'self'; style-src 'self'; worker-src 'self'"
)
GOLDEN = {
    "Cache-Control": "no-store, private",
    "Content-Security-Policy": CSP,
    "Content-Type": "text/html; charset=utf-8",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Vary": "Cookie",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def headers(response) -> dict[str, str]:
    found = dict(response.headers)
    found.pop("Content-Length")
    directives = found["Content-Security-Policy"].split("; ")
    found["Content-Security-Policy"] = "; ".join(sorted(directives))
    found["Vary"] = ", ".join(sorted(found["Vary"].split(", ")))
    return found


def test_a_page_with_people_sends_these_headers(client: Client, educator):
    client.force_login(educator)

    assert headers(client.get(reverse("more"))) == GOLDEN


def test_the_log_in_page_sends_these_headers(client: Client, db):
    expected = GOLDEN | {"Cache-Control": "max-age=0, no-cache, no-store, must-revalidate, private"}

    found = headers(client.get(reverse("account_login")))

    found.pop("Expires")
    assert found == expected


def test_a_page_that_is_not_there_sends_them_too(client: Client, educator):
    client.force_login(educator)

    response = client.get("/visits/999999/")

    assert response.status_code == 404
    assert headers(response) == GOLDEN


def test_a_phone_where_nothing_waits_forgets_everything_after_logging_out(client, educator):
    client.force_login(educator)

    response = client.post(reverse("account_logout"), {"nothing_waits": "1"})

    assert response["Clear-Site-Data"] == '"storage"'


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [("SECRET_KEY", "", "Set SECRET_KEY to 50 random characters or more.")],
)
def test_production_does_not_start_unsafely(variable, value, sentence):
    environment = {**os.environ, "PTHV_DEV": "", variable: value}

    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert sentence in done.stderr


def test_the_deployment_check_is_silent():
    environment = {
        **os.environ,
        "PTHV_DEV": "",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "",  # the browser tests' alone
        "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "ALLOWED_HOSTS": "visits.example",
    }

    done = subprocess.run(
        [sys.executable, "-W", "error", "manage.py", "check", "--deploy", "--fail-level", "DEBUG"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
