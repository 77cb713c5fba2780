from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PthvConfig(AppConfig):
    name = "pthv"
    verbose_name = "Programs and people"


class PthvAdminConfig(AdminConfig):
    default_site = "pthv.admin_site.PthvAdminSite"
