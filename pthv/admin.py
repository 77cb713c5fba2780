"""Administration of programs, people, and the record of what they did."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin as AccountAdmin
from django.contrib.auth.forms import BaseUserCreationForm, UserChangeForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from pghistory.models import Event

from pthv import accounts, catalogues, languages, outbox
from pthv.blocked import NotReady
from pthv.models import (
    AuditEntry,
    Change,
    Educator,
    LanguageReview,
    Membership,
    Message,
    PartnerOrganization,
    Program,
    RecordView,
    Role,
    RowImage,
    School,
    SchoolYear,
    TextStop,
    User,
)
from pthv.requests import id_of
from pthv.ruled_admin import (
    ChoicesWithinProgram,
    HistoryAdmin,
    ReadOnlyAdmin,
    RuledAdmin,
    RuledForm,
    account,
    asking,
)


def _languages() -> list[tuple[str, str]]:
    """What can be offered, each with whether anybody has vouched for it."""
    drafted = languages.drafted()
    mark = f" ({gettext('machine-drafted')})"
    return [
        (code, languages.AUTONYMS[code] + (mark if code in drafted else ""))
        for code in catalogues.TRANSLATED
    ]


class ProgramForm(RuledForm):
    """With the languages as boxes to tick."""

    languages_offered = forms.MultipleChoiceField(
        label=_("Languages offered"),
        choices=_languages,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What families are written to in. English is always there."),
    )


@admin.register(Program)
class ProgramAdmin(RuledAdmin):
    form = ProgramForm
    list_display = ("name", "slug", "time_zone", "model", "minimum_cell")
    list_filter = ("model",)
    ordering = ("name",)
    search_fields = ("name", "slug")
    search_help_text = _("Search by name.")
    by_number = False

    def keep(self, event: str, obj: Any, request: HttpRequest, fields: list[str]) -> None:
        """The admin's own log keeps it: a program is no row of a program."""


@admin.register(PartnerOrganization)
class PartnerOrganizationAdmin(RuledAdmin):
    list_display = ("name", "kind", "program")
    list_select_related = ("program",)
    list_filter = ("kind", "program")
    ordering = ("name", "pk")
    search_fields = ("name",)
    search_help_text = _("Search by name.")
    by_number = False


@admin.register(School)
class SchoolAdmin(RuledAdmin):
    list_display = (
        "name",
        "program",
        "phone",
        "safety_name",
        "contract_day_starts",
        "contract_day_ends",
        "source_id",
    )
    list_select_related = ("program",)
    ordering = ("name", "pk")
    search_fields = ("name", "source_id")
    search_help_text = _("Search by name, or by the id in the roster files.")
    fixed = ("source_id",)
    by_number = False

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        said = _(
            "Families are told to call the school with questions; empty: no number stands there."
        )
        return super().get_form(request, obj, **kwargs | {"help_texts": {"phone": said}})


@admin.register(SchoolYear)
class SchoolYearAdmin(RuledAdmin):
    list_display = ("name", "program", "starts_on", "ends_on")
    list_select_related = ("program",)
    ordering = ("-starts_on", "pk")
    search_fields = ("name",)
    search_help_text = _("Search by name.")
    by_number = False


class _OwnAccount(forms.ModelForm):
    """E-mail addresses are kept in small letters."""

    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()


class AccountAddForm(_OwnAccount, BaseUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "given_name", "family_name")


class AccountChangeForm(_OwnAccount, UserChangeForm):
    class Meta:
        model = User
        fields = ("email", "given_name", "family_name", "is_active", "is_staff")


@admin.register(User)
class UserAdmin(RuledAdmin, AccountAdmin):
    """People who can log in. An administrator is one in full: staff and superuser go together."""

    form = AccountChangeForm
    add_form = AccountAddForm
    list_display = ("email", "family_name", "given_name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff")
    ordering = ("-pk",)
    search_fields = ("email", "family_name", "given_name")
    search_help_text = _("Search by name or e-mail address.")
    by_number = False
    filter_horizontal = ()
    readonly_fields = ("last_login", "joined_at", "is_demo")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        (_("Name"), {"fields": ("given_name", "family_name")}),
        (_("Access"), {"fields": ("is_active", "is_staff")}),
        (_("Dates"), {"fields": ("last_login", "joined_at", "is_demo")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "given_name", "family_name", "password1", "password2")}),
    )
    actions = (
        asking(accounts.deactivate, _("Close these accounts")),
        asking(accounts.forget_second_step, _("Forget their second step (a lost phone)")),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        found = super().get_readonly_fields(request, obj)
        # Nobody locks themselves out.
        return [*found, "is_active", "is_staff"] if obj == request.user else found

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        obj.is_superuser = obj.is_staff
        super().save_model(request, obj, form, change)

    def keep(self, event: str, obj: Any, request: HttpRequest, fields: list[str]) -> None:
        """The admin's own log keeps it: a person is no row of a program."""


@admin.register(Membership)
class MembershipAdmin(RuledAdmin):
    list_display = ("user", "role", "program", "school", "starts_on", "ends_on")
    list_select_related = ("user", "program", "school")
    list_filter = ("role", "program")
    search_fields = ("user__email", "user__family_name", "user__given_name")
    search_help_text = _("Search by name or e-mail address.")
    by_number = False
    fixed = ("user",)
    actions = (asking(accounts.end_today, _("Make today the last day")),)

    def named(self, obj: Membership) -> str:
        return f"{obj.user}, {obj}"

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        # Whoever may visit is an educator of the program.
        if obj.role == Role.EDUCATOR:
            Educator.objects.get_or_create(program_id=obj.program_id, user_id=obj.user_id)


@admin.register(Educator)
class EducatorAdmin(RuledAdmin):
    list_display = ("user", "email", "program", "source_id", "languages")
    list_select_related = ("user", "program")
    search_fields = ("user__email", "user__family_name", "user__given_name", "source_id")
    search_help_text = _("Search by name, e-mail address, or the id in the roster files.")
    by_number = False
    fixed = ("user", "source_id")

    @admin.display(description=_("e-mail"))
    def email(self, educator: Educator) -> str:
        return educator.user.email


class AboutSubject(ReadOnlyAdmin):
    """Entries about a row: searched by it, such as "visit 12"."""

    search_help_text = _("Search by what it is about, such as visit 12.")

    def get_search_results(self, request: HttpRequest, queryset, search_term: str):
        kind, _space, number = search_term.strip().lower().rpartition(" ")
        subject = id_of(number.lstrip("#"))
        if not kind:
            return super().get_search_results(request, queryset, search_term)
        if subject is None:
            return queryset.none(), False
        # Every program is named, so that the index of subjects is used.
        programs = list(Program.objects.values_list("pk", flat=True))
        kind = kind.replace(" ", "")
        found = queryset.filter(program__in=programs, subject_type=kind, subject_id=subject)
        return found, False


@admin.register(AuditEntry)
class AuditEntryAdmin(AboutSubject):
    list_display = ("at", "event", "subject_type", "subject_id", "by", "program")
    list_select_related = ("by", "program")


@admin.register(RecordView)
class RecordViewAdmin(AboutSubject):
    list_display = ("at", "subject_type", "subject_id", "by", "reason", "program")
    list_select_related = ("by", "program")


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin):
    list_display = ("made_at", "what", "label", "made_by", "undone_at", "undone_by", "program")
    list_select_related = ("made_by", "undone_by", "program")


@admin.register(RowImage)
class RowImageAdmin(ReadOnlyAdmin):
    list_display = ("table", "row", "change", "program")
    list_select_related = ("change", "program")
    keeps_looks = True


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("queued_at", "kind", "to_user", "state", "attempts", "sent_at", "program")
    list_select_related = ("to_user", "program")
    list_filter = ("program", ("state", ChoicesWithinProgram))
    keeps_looks = True
    actions = (asking(outbox.send_again, _("Send again")),)


@admin.register(TextStop)
class TextStopAdmin(ReadOnlyAdmin):
    list_filter = ()
    list_display = ("phone", "stopped_at")
    search_fields = ("phone",)


class SignOffForm(forms.Form):
    speaker = forms.CharField(
        label=_("Who read it"), max_length=120, help_text=_("A native speaker, by name.")
    )
    read = forms.CharField(widget=forms.HiddenInput)


@admin.register(LanguageReview)
class LanguageReviewAdmin(ReadOnlyAdmin):
    """Signed off on a page that shows every sentence first."""

    list_display = ("language", "speaker", "signed_off_at", "signed_off_by")
    list_select_related = ("signed_off_by",)
    list_filter = search_fields = ()
    change_list_template = "admin/language_list.html"

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.read)
        return [
            path("<str:code>/read/", view, name="pthv_languagereview_read"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        standing = {review.language: review for review in languages.standing_reviews()}
        shown = [(c, languages.AUTONYMS[c], standing.get(c)) for c in catalogues.TRANSLATED]
        return super().changelist_view(request, (extra_context or {}) | {"languages": shown})

    def read(self, request: HttpRequest, code: str) -> HttpResponse:
        if code not in catalogues.TRANSLATED:
            raise Http404
        now = catalogues.fingerprint(code)
        form = SignOffForm(request.POST or None, initial={"read": now})
        if form.is_valid():
            try:
                review = languages.sign_off(code, **form.cleaned_data, by=account(request))
            except NotReady as blocked:
                self.message_user(request, str(blocked), messages.ERROR)
                return redirect(request.path)
            self.log_addition(request, review, "Signed off.")
            self.message_user(request, _("Signed off. Thank you."))
            return redirect("admin:pthv_languagereview_changelist")
        context = self.admin_site.each_context(request) | {
            "title": _("Read: %s") % languages.AUTONYMS[code],
            "opts": self.opts,
            "code": code,
            "autonym": languages.AUTONYMS[code],
            "sentences": catalogues.sentences(code),
            "review": next((r for r in languages.standing_reviews() if r.language == code), None),
            "form": form,
        }
        return TemplateResponse(request, "admin/language_read.html", context)


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """What administrators changed here."""

    list_display = ("action_time", "user", "content_type", "object_repr", "change_message")
    list_select_related = ("user", "content_type")
    list_filter = ("action_flag",)


for kept in apps.get_models():
    if issubclass(kept, Event) and kept._meta.app_label != "pghistory":
        admin.site.register(kept, HistoryAdmin)
