"""The administrators' site: people, settings, corrections, history."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _


class PthvAdminSite(admin.AdminSite):
    """Administrators log in like everybody else, with the same limits and second step."""

    site_header = site_title = _("Home visits administration")
    index_title = _("People, settings, corrections, history")

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return bool(user.is_active and user.is_staff and getattr(user, "is_superuser", False))

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        asked = request.GET.get("next", "")
        following = asked if asked.startswith(reverse("admin:index")) else reverse("admin:index")
        if self.has_permission(request):
            return redirect(following)
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(following)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("account_change_password")
