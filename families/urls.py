"""Where each page of families lives; a URL's name is its view's and its template's."""

from django.urls import path

from families.views import roster, roster_files

urlpatterns = [
    path("rosters/", roster.roster_list, name="roster_list"),
    path("rosters/upload/", roster.roster_upload, name="roster_upload"),
    path("rosters/guide/", roster_files.roster_guide, name="roster_guide"),
    path("rosters/contacts-template.csv", roster_files.contacts_template, name="contacts_template"),
    path(
        "rosters/attributes-template.csv",
        roster_files.attributes_template,
        name="attributes_template",
    ),
    path("rosters/<int:pk>/", roster.roster_detail, name="roster_detail"),
    path("rosters/<int:pk>/columns/", roster.roster_columns, name="roster_columns"),
    path("rosters/<int:pk>/columns/again/", roster.roster_reopen, name="roster_reopen"),
    path("rosters/<int:pk>/apply/", roster.roster_apply, name="roster_apply"),
    path("rosters/<int:pk>/discard/", roster.roster_discard, name="roster_discard"),
    path("rosters/<int:pk>/undo/", roster.roster_undo, name="roster_undo"),
    path("rosters/<int:pk>/refused.csv", roster_files.roster_refused, name="roster_refused"),
]
