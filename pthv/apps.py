from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class PthvConfig(AppConfig):
    name = "pthv"
    verbose_name = "Programs and people"
    default = True


class PthvAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "pthv.admin_site.PthvAdminSite"
