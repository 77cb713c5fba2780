"""Tokens that stand in for an account: of a family's link, made anew whenever one is needed.

A token is derived from the site's secret key and a random nonce. The database has the nonce,
to write the link into a message, and the token's hash, to know it again. Neither opens
anything without the key, so that a stolen backup has no link in it.
"""

import base64
import hashlib
import secrets

from django.utils.crypto import salted_hmac

SALT = "pthv.tokens"
BYTES = 24  # 192 bits: 32 characters in an address


def new_nonce() -> str:
    """The random part of a new token."""
    return secrets.token_urlsafe(BYTES)


def token(nonce: str) -> str:
    """What stands in the address: 192 bits that nobody guesses, letters, digits, - and _."""
    drawn = salted_hmac(SALT, nonce, algorithm="sha256").digest()[:BYTES]
    return base64.urlsafe_b64encode(drawn).decode()


def hashed(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
