"""The administrators' site, lightly branded."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _


class PthvAdminSite(admin.AdminSite):
    site_header = site_title = _("Home visits administration")
    index_title = _("People, settings, corrections, history")
