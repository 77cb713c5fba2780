"""The project's URLs, and the floor: the least that Django does for a logged-in page."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.crypto import get_random_string

from pthv.models import PartnerOrganization
from pthv.urls import urlpatterns as project_urls
from visits.models import Visit


class PartnerForm(forms.ModelForm):
    class Meta:
        model = PartnerOrganization
        fields = ["kind"]


def floor_list(request: HttpRequest) -> HttpResponse:
    """One range of the primary key, fifty rows of six columns, the same base template."""
    rows = Visit.objects.order_by("pk")[:50]
    return render(request, "floor_list.html", {"rows": rows})


def floor_write(request: HttpRequest) -> HttpResponse:
    """One small form, one row, one redirect."""
    form = PartnerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.instance.program = request.program
        form.instance.name = get_random_string(20)
        form.save()
        return redirect("floor_write")
    return render(request, "floor_write.html", {"form": form})


urlpatterns = [
    *project_urls,
    path("floor/", floor_list, name="floor_list"),
    path("floor/write/", floor_write, name="floor_write"),
]
