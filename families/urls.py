"""Where each page of families lives; a URL's name is its view's and its template's."""

from django.urls import path

from families.views import roster

urlpatterns = [
    path("rosters/", roster.roster_list, name="roster_list"),
    path("rosters/upload/", roster.roster_upload, name="roster_upload"),
    path("rosters/contacts-template.csv", roster.contacts_template, name="contacts_template"),
    path("rosters/<int:pk>/", roster.roster_detail, name="roster_detail"),
    path("rosters/<int:pk>/apply/", roster.roster_apply, name="roster_apply"),
    path("rosters/<int:pk>/discard/", roster.roster_discard, name="roster_discard"),
]
