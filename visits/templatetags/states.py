"""Where an invitation or a visit stands, in words and in one of three quiet colours."""

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from pthv import wording
from pthv.templatetags.components import state
from visits.models import Invitation, Visit

register = template.Library()


@register.simple_tag
def invitation_state(invitation: Invitation) -> SafeString:
    if invitation.visited_at:
        return state(_("Visited"), "done")
    if invitation.later_on:
        return state(_("Later, from %(day)s") % {"day": wording.day(invitation.later_on)})
    accepted = invitation.state == Invitation.State.ACCEPTED
    return state(invitation.get_state_display(), "now" if accepted else "")


@register.simple_tag
def visit_state(visit: Visit) -> SafeString:
    if visit.state == Visit.State.COMPLETED:
        return state(visit.get_state_display(), "done")
    now = visit.state in {Visit.State.HELD, Visit.State.CONFIRMED}
    return state(visit.get_state_display(), "now" if now else "")
