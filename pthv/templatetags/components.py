"""The smallest components, which a page of fifty rows shows hundreds of times.

Loaded into every template. Larger ones are templates/components/*.html.
"""

import datetime

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from pthv import wording

register = template.Library()


@register.simple_tag
def icon(name: str, kind: str = "") -> SafeString:
    """An icon, always beside a word: an id of static/vendor/icons/icons.svg.

    `kind`: "icon-flip" for arrows that turn round in right-to-left, or "icon-big".
    """
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        kind,
        static("vendor/icons/icons.svg"),
        name,
    )


@register.simple_tag
def state(label: str, kind: str = "") -> SafeString:
    """A state, in words. `kind`: "" (neutral), "now", "attention" (needs you) or "done"."""
    return format_html('<span class="state state-{}">{}</span>', kind or "plain", label)


@register.simple_tag
def when(at: datetime.datetime, until: datetime.datetime | None = None) -> SafeString:
    """An instant in the program's zone, "Tue, Oct 6, 4:30 PM", perhaps with its end."""
    end = f"–{wording.time(until)}" if until else ""
    return format_html('<time datetime="{}">{}{}</time>', at.isoformat(), wording.moment(at), end)


@register.simple_tag
def bar(value: object, most: object, label: object) -> SafeString:
    """A small bar; the words beside it carry the meaning. `label` is for ears."""
    return format_html(
        '<progress class="bar" max="{}" value="{}" aria-label="{}"></progress>', most, value, label
    )


@register.simple_tag
def say(sentence: str, **facts: object) -> str:
    """A translated sentence with its facts: {% say _("made {when}") when=… %}.

    What blocktranslate does, in a tenth of the time: for the rows of lists.
    """
    return str(sentence).format(**facts)
