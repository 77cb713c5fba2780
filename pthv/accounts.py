"""How people log in: accounts are made by a program, never by a passer-by."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.http import HttpRequest

from pthv.models import User


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class Backend(AuthenticationBackend):
    """E-mail and password; the demo's invented people only where the demo is on."""

    def user_can_authenticate(self, user: User) -> bool:
        if user.is_demo and not settings.DEMO_LOGINS:
            return False
        return super().user_can_authenticate(user)
