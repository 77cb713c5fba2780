"""The words that a phone looks for while somebody types; see visits/never_record.py."""

from typing import Any

from django import template
from django.template.context import Context
from django.utils.translation import gettext as _

from visits import never_record as words

register = template.Library()


@register.inclusion_tag("components/never_record.html", takes_context=True)
def never_record(context: Context) -> dict[str, Any]:
    """For the `scripts` of a page with free text."""
    say = _("Please leave this out; the family may read it, and it is not ours to keep:")
    return {"data": {"say": say, "topics": words.for_page(context["request"].program)}}
