"""What a coordinator sends: a file, which kind it is, and which of its columns is what."""

from dataclasses import dataclass
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from families.models import RosterImport
from families.roster import columns
from families.roster.headings import is_private
from pthv.tables import store
from pthv.tables.columns import Column, Places
from pthv.tables.zips import MAX_UPLOAD, MEGABYTE

SHOWN = 60


class RosterForm(forms.Form):
    """One file to plan."""

    kind = forms.ChoiceField(
        label=_("What is in it?"),
        choices=RosterImport.Kind.choices,
        initial=RosterImport.Kind.ONEROSTER,
        widget=forms.RadioSelect,
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_("Nothing changes until you have seen what would change."),
        widget=forms.FileInput(attrs={"accept": ".zip,.csv,.txt,.xlsx,.xlsm"}),
    )

    helper = FormHelper()
    helper.form_tag = False
    helper.layout = Layout("kind", "file")

    def clean_file(self) -> UploadedFile:
        file = self.cleaned_data["file"]
        if file.size > MAX_UPLOAD:
            limit = {"limit": MAX_UPLOAD // MEGABYTE}
            raise forms.ValidationError(_("The file is larger than %(limit)s MB.") % limit)
        return file


@dataclass(frozen=True, slots=True)
class Choice:
    """One of our columns on the page that asks: the file's column taken for it, and its cells."""

    column: Column
    place: int | None
    examples: str


class ColumnsForm:
    """Which of a file's columns is which of ours: as guessed, or as somebody chose."""

    def __init__(self, roster_import: RosterImport, data: QueryDict | None = None) -> None:
        self.ours = columns.of(roster_import.kind, roster_import.program)
        self.titles = [
            title or _("Column %(number)s, without a title") % {"number": number}
            for number, title in enumerate(roster_import.headings, start=1)
        ]
        self.private = {place for place, title in enumerate(self.titles) if is_private(title)}
        self.places = roster_import.columns if data is None else self._chosen(data)
        self.rows = store.examples(roster_import.upload)

    def _chosen(self, data: QueryDict) -> Places:
        """What was chosen; what isn't a column of this file is none."""
        found: Places = {}
        for column in self.ours:
            text = data.get(column.name, "")
            if text.isascii() and text.isdecimal() and len(text) < 4:
                place = int(text)
                if place < len(self.titles) and place not in self.private:
                    found[column.name] = place
        return found

    @property
    def choices(self) -> list[Choice]:
        return [
            Choice(column, place, self._examples(place))
            for column in self.ours
            for place in [self.places.get(column.name)]
        ]

    def _examples(self, place: int | None) -> str:
        cells = [row[place] for row in self.rows if place is not None and place < len(row)]
        return " · ".join(cell[:SHOWN] for cell in dict.fromkeys(cells) if cell.strip())

    @property
    def passed(self) -> list[Any]:
        """The titles of the columns that nobody takes."""
        taken = set(self.places.values())
        return [title for place, title in enumerate(self.titles) if place not in taken]

    @property
    def offered(self) -> list[tuple[int, Any]]:
        """The places and titles that may be chosen."""
        titles = enumerate(self.titles)
        return [(place, title) for place, title in titles if place not in self.private]
