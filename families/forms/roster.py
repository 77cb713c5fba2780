"""What a coordinator sends: a file, and which kind it is."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from families.models import RosterImport
from families.roster.archive import MAX_UPLOAD, MEGABYTE


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
        widget=forms.FileInput(attrs={"accept": ".zip,.csv"}),
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
