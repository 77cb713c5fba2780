"""The admin's manners: lists as fast at a million rows, every look kept, no way round a rule.

`RuledAdmin` is for what may be corrected by hand: constraints hold, changes are audited,
nothing is deleted. `ReadOnlyAdmin` is for what an action or a trigger guards.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from pghistory.models import Event

from pthv import audit
from pthv.blocked import NotReady
from pthv.models import Program, ProgramRow, User
from pthv.requests import id_of

MOST_COUNTED = 1000
MOST_ACTED_ON = 100
MOST_TYPED = 1000
PROGRAM_CHOSEN = "program__id__exact"


class CappedPaginator(Paginator):
    """Counts a thousand rows and no more: whoever wants others searches or filters."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[:MOST_COUNTED].count()


class WithinProgram:
    """A filter that shows once a program is chosen, so that it never reads every program's rows."""

    def __init__(self, field, request, *args, **kwargs) -> None:
        self.program_chosen = PROGRAM_CHOSEN in request.GET
        super().__init__(field, request, *args, **kwargs)  # type: ignore[call-arg]

    def has_output(self) -> bool:
        return self.program_chosen and super().has_output()  # type: ignore[misc]


class ChoicesWithinProgram(WithinProgram, admin.ChoicesFieldListFilter):
    """One of a field's choices."""


class FlagWithinProgram(WithinProgram, admin.BooleanFieldListFilter):
    """Yes or no."""


class RuledForm(forms.ModelForm):
    """Checks what the database would refuse, and says it in a sentence."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        own = cleaned.get("program") or getattr(self.instance, "program", None)
        for name, chosen in list(cleaned.items()):
            if own and isinstance(chosen, ProgramRow) and chosen.program_id != own.pk:
                self.add_error(name, _("Choose one of %(program)s.") % {"program": own})
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            # Fields that are not on the form count too: a fund's budget covers what is used of it.
            self.instance.validate_constraints()
        except ValidationError as refused:
            self.add_error(None, refused)


def account(request: HttpRequest) -> User:
    """Who is at work in the admin."""
    assert isinstance(request.user, User)
    return request.user


def history_of(model: type[models.Model]) -> type[models.Model] | None:
    """The table that keeps earlier rows of `model`, if there is one."""
    return next(
        (
            kept
            for kept in model._meta.apps.get_models()
            if issubclass(kept, Event) and kept.pgh_tracked_model is model
        ),
        None,
    )


class RuledAdmin(admin.ModelAdmin):
    """Rows that may be corrected by hand.

    `fixed` fields are written once; `keeps_looks` records who saw a row, opened or listed;
    `by_number` lists grow without end, and are searched by number (or as the subclass says)
    only. `links_by` names the fields by which other pages link to the list.
    """

    form: type[forms.ModelForm] = RuledForm
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    view_on_site = False
    list_per_page = 50
    list_max_show_all = 0
    sortable_by: ClassVar[Any] = ()
    ordering: ClassVar[Any] = ("-pk",)
    list_filter: ClassVar[Any] = ("program",)
    search_fields: ClassVar[Any] = ("pk",)
    search_help_text: ClassVar[Any] = _("Search by number.")
    fixed: tuple[str, ...] = ()
    links_by: tuple[str, ...] = ()
    keeps_looks = False
    by_number = True

    def get_search_results(self, request: HttpRequest, queryset, search_term: str):
        typed = search_term.strip().lstrip("#")
        if not typed:
            return queryset, False
        if typed.isascii() and typed.isdecimal():
            if isinstance(self.opts.pk, models.UUIDField):
                return queryset.none(), False
            return queryset.filter(pk=typed) if len(typed) < 19 else queryset.none(), False
        if self.by_number:
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term.replace("\x00", ""))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """What the page's own links ask for, and nothing that could be guessed letter by letter.

        Django would let the address ask for any field of the row, hidden ones included.
        """
        filters = [found if isinstance(found, str) else found[0] for found in self.list_filter]
        names = {"pk", "id", self.opts.pk.name, *self.links_by, *filters}
        asked = lookup.removesuffix("__exact").removesuffix("__isnull").removesuffix("__id")
        return asked in names

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The list; whoever was shown a page of families is on record for each of them.

        One look a row, not one a list: "who saw this family?" is asked of the family, and a
        list shows its names as well as its own page does. It costs one insert a page.
        """
        typed = [text for _name, texts in request.GET.lists() for text in texts]
        if any("\x00" in text or len(text) > MOST_TYPED for text in typed):
            return redirect(request.path)
        self._use_the_clock_of(request.GET.get(PROGRAM_CHOSEN, ""))
        response = super().changelist_view(request, extra_context)
        listed = (getattr(response, "context_data", None) or {}).get("cl")
        if self.keeps_looks and listed is not None:
            seen = [self.looked_at(row) for row in listed.result_list]
            audit.listed(seen, by=account(request), reason=audit.ADMINISTRATOR)
        return response

    def _use_the_clock_of(self, chosen: str) -> None:
        """Rows of one program are shown by its clock, those of several by UTC."""
        programs = (
            Program.objects.filter(pk=chosen) if chosen.isdecimal() else Program.objects.all()
        )
        if len(shown := list(programs[:2])) == 1:
            timezone.activate(shown[0].zone)

    @admin.display(description=_("no."))
    def number(self, obj: Any) -> int:
        return obj.pk

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        return [field.name for field in self.opts.fields if field.many_to_one and field.editable]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        found = list(super().get_readonly_fields(request, obj))
        if obj is None:
            return found
        found += [name for name in ("program", *self.fixed) if name in self.field_names]
        return [*found, "earlier"] if history_of(self.model) else found

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        found = list(super().get_fields(request, obj))
        kept = obj is not None and history_of(self.model) and "earlier" not in found
        return [*found, "earlier"] if kept else found

    @property
    def field_names(self) -> set[str]:
        return {field.name for field in self.opts.fields}

    @admin.display(description=_("Earlier"))
    def earlier(self, obj: Any) -> str:
        kept = history_of(self.model)
        assert kept is not None
        url = reverse(f"admin:{kept._meta.app_label}_{kept._meta.model_name}_changelist")
        return format_html(
            '<a href="{}?pgh_obj_id={}">{}</a>', url, obj.pk, _("What it was before")
        )

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        obj = super().get_object(request, object_id, from_field)
        if obj is not None and "program" in self.field_names:
            timezone.activate(obj.program.zone)
        if obj is not None and self.keeps_looks:
            audit.viewed(self.looked_at(obj), by=account(request), reason=audit.ADMINISTRATOR)
        return obj

    def looked_at(self, obj: Any) -> Any:
        """Whose row a look at `obj` is kept as."""
        return obj

    def named(self, obj: Any) -> str:
        """What a bulk action calls a row before it acts on it."""
        return str(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if (change and form.changed_data) or not change:
            done = "corrected" if change else "added"
            self.keep(f"{self.opts.model_name}.{done}", obj, request, form.changed_data)

    def keep(self, event: str, obj: Any, request: HttpRequest, fields: list[str]) -> None:
        audit.record(event, obj, by=account(request), fields=fields)


class ReadOnlyAdmin(RuledAdmin):
    """Rows that only actions write: looked at here, never edited."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if self.fields:
            return self.fields
        names = [f.name for f in self.opts.fields if f.name not in (self.exclude or ())]
        kept = [name for name in self.get_readonly_fields(request, obj) if name not in names]
        return names + kept


class HistoryAdmin(ReadOnlyAdmin):
    """Rows as they were before a change, with who changed them."""

    ordering = ("-pgh_id",)
    list_display = ("pgh_id", "row", "pgh_label", "pgh_created_at", "changed_by")
    list_select_related = ("pgh_context",)
    list_filter = ()
    search_help_text = _("Search by the number of the row it was.")
    links_by = ("pgh_obj_id", "pgh_obj")
    keeps_looks = True

    def get_search_results(self, request: HttpRequest, queryset, search_term: str):
        typed = search_term.strip().lstrip("#")
        if not typed:
            return queryset, False
        number = id_of(typed)
        return queryset.none() if number is None else queryset.filter(pgh_obj_id=number), False

    @admin.display(description=_("row"))
    def row(self, event: Any) -> str:
        return f"#{event.pgh_obj_id}"

    @admin.display(description=_("changed by"))
    def changed_by(self, event: Any) -> str:
        found = (event.pgh_context.metadata if event.pgh_context else {}).get("user")
        if not found:
            return ""
        url = reverse("admin:pthv_user_change", args=[found])
        return format_html('<a href="{}">{}</a>', url, gettext("account %s") % found)

    def looked_at(self, event: Any) -> Any:
        return self.model.pgh_tracked_model(pk=event.pgh_obj_id, program_id=event.program_id)


class NothingToAsk(forms.Form):
    """An action that only wants to be meant."""


class ReasonForm(forms.Form):
    because = forms.CharField(label=_("Why"), max_length=255)


def asking(
    act: Callable[..., Any],
    description: Any,
    *,
    form: type[forms.Form] = NothingToAsk,
) -> Callable[..., Any]:
    """A bulk action that asks on a page of its own, then lets `act` do it, or say why not."""

    @admin.action(description=description, permissions=["view"])
    def asked(model_admin: RuledAdmin, request: HttpRequest, queryset) -> HttpResponse | None:
        chosen = list(queryset[: MOST_ACTED_ON + 1])
        if len(chosen) > MOST_ACTED_ON:
            said = gettext("Choose %s rows at most.") % MOST_ACTED_ON
            model_admin.message_user(request, said, messages.ERROR)
            return None
        filled = form(request.POST if "_asked" in request.POST else None)
        if filled.is_valid():
            _act_on(chosen, act, filled.cleaned_data, model_admin, request)
            return None
        context = model_admin.admin_site.each_context(request) | {
            "title": description,
            "opts": model_admin.opts,
            "form": filled,
            "chosen": [(row.pk, model_admin.named(row)) for row in chosen],
            "action": request.POST["action"],
        }
        return TemplateResponse(request, "admin/asking.html", context)

    asked.__name__ = act.__name__
    return asked


def _act_on(chosen, act, answers, model_admin: RuledAdmin, request: HttpRequest) -> None:
    done = 0
    for row in chosen:
        try:
            act(row, **answers, by=request.user)
        except NotReady as blocked:
            model_admin.message_user(
                request, f"{model_admin.named(row)}: {blocked}", messages.WARNING
            )
        else:
            done += 1
    if done:
        said = gettext("Done for %(done)s of %(chosen)s.")
        model_admin.message_user(request, said % {"done": done, "chosen": len(chosen)})
