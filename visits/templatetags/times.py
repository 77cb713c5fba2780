"""A time to tap: six weeks show hundreds, and an include for each takes a third of the page."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from pthv import wording
from visits.free_times import FreeDay

register = template.Library()


@register.simple_tag
def times_of(day: FreeDay, chosen: str) -> SafeString:
    """A day's times as large radios, each with who could interpret; `chosen`: which was tapped."""
    return format_html_join(
        "\n    ",
        '<label class="choice"><input type="radio" name="slot" value="{}"{}>'
        "<span>{}{}</span></label>",
        (
            (
                time.value,
                " checked" if time.value == chosen else "",
                wording.time(time.during.lower),
                format_html("<small>{}</small>", time.interpreters[0]) if time.interpreters else "",
            )
            for time in day.times
        ),
    )
