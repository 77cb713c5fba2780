from django.contrib import admin
from django.urls import include, path

from pthv import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("demo/login/", views.demo_login, name="demo_login"),
    path("program/", views.program_switch, name="program_switch"),
    path("texts/status/", views.text_status, name="text_status"),
    path("texts/reply/", views.text_reply, name="text_reply"),
    path("accounts/login/", views.LogIn.as_view(), name="account_login"),
    path("accounts/email/", views.account_email, name="account_email"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("families.urls")),
    path("", include("training.urls")),
    path("", include("visits.urls")),
]
