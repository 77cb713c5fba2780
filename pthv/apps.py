from django.apps import AppConfig, apps
from django.contrib import admin
from django.contrib.admin import apps as admin_apps


class PthvConfig(AppConfig):
    name = "pthv"
    verbose_name = "Programs and people"
    default = True


class PthvAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "pthv.admin_site.PthvAdminSite"
    # Other packages' pages would edit secrets, or what nobody uses here.
    left_out = ("auth.Group", "account.EmailAddress", "mfa.Authenticator")

    def ready(self) -> None:
        super().ready()
        admin.site.unregister([apps.get_model(label) for label in self.left_out])
