"""What a coordinator sends: a list of certificates from before."""

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from pthv.tables.zips import MEGABYTE

# 20,000 lines are two of them.
MOST = 10 * MEGABYTE


class CertificatesForm(forms.Form):
    """One file to plan."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or Excel. Nothing changes until you have seen what would change."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx,.xlsm"}),
    )

    def clean_file(self) -> UploadedFile:
        file = self.cleaned_data["file"]
        if file.size > MOST:
            limit = {"limit": MOST // MEGABYTE}
            raise forms.ValidationError(_("The file is larger than %(limit)s MB.") % limit)
        return file
