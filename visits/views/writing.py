"""The words to ask a family with, in its own language: sent from here, or from one's own phone."""

from urllib.parse import quote

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from families.models import Caregiver, isolated
from pthv import audit, clock, languages, stops, wording
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.requests import Request, id_of
from visits import family_messages, links
from visits.family_wording import Words, compose, language_of, own_words
from visits.models import FamilyLink, Invitation

CHANNELS = {"text": gettext_lazy("text"), "email": gettext_lazy("e-mail")}


@requires(Can.INVITE)
@require_http_methods(["GET", "HEAD", "POST"])
def invitation_write(request: Request, pk: int) -> HttpResponse:
    """What to say, text or write to one caregiver, and sending it; nothing is sent by looking."""
    found = Invitation.objects.open_to(request.user, Can.INVITE)
    related = ("family", "school", "program", "educator__user", "school_year")
    invitation = get_object_or_404(found.select_related(*related), pk=pk)
    people = [person for person in invitation.family.reachable if person.may_decide]
    wanted = id_of(request.GET.get("caregiver", "") or request.POST.get("caregiver", ""))
    person = next((one for one in people if one.pk == wanted), people[0] if people else None)
    if request.method == "POST":
        return _post(request, invitation, person)
    blocked = family_messages.blockers(invitation)
    audit.viewed(invitation.family, by=request.user, reason=Can.INVITE)
    context = {"invitation": invitation, "people": people, "person": person, "blocked": blocked}
    if person and not blocked:
        context |= _words(invitation, person)
    return render(request, "visits/invitation_write.html", context)


def _words(invitation: Invitation, person: Caregiver) -> dict[str, object]:
    """The wording in the caregiver's language and in English, and where it would go."""
    code, own = language_of(invitation, person), own_words()

    def words(kind: str, language: str) -> Words:
        return compose(kind, invitation, person, language=language, own=own)

    link = FamilyLink.objects.usable().filter(invitation=invitation, caregiver=person).first()
    asked = words("invitation", code)
    filled = asked.body.replace("{link}", links.url(link)) if link else ""
    stopped = bool(person.phone) and stops.is_stopped(str(person.phone))
    texted = person.phone and not person.phone_is_dead and not stopped
    return {
        "code": code,
        "language": languages.AUTONYMS[code],
        # A program's own words are nobody's draft.
        "drafted": not {("call", code), ("invitation", code)} <= own.keys()
        and languages.is_drafted(code),
        "call": words("call", code).body,
        "own": asked,
        "english": [words("call", "en").body, words("invitation", "en").body]
        if code != "en"
        else [],
        "recipients": [
            f"{isolated(to.caregiver.called)} ({CHANNELS[to.channel]})"
            for to in family_messages.recipients(invitation)
        ],
        "link": link,
        "filled": filled,
        "stopped": stopped,
        "sms": f"sms:{quote(str(person.phone), safe='+')}?body={quote(filled)}" if texted else "",
        "mail": f"mailto:{quote(person.email, safe='@')}"
        f"?subject={quote(asked.subject)}&body={quote(filled)}"
        if person.email and not person.email_is_dead
        else "",
    }


def _post(request: Request, invitation: Invitation, person: Caregiver | None) -> HttpResponse:
    """Send it from here, or make the link to send it oneself."""
    try:
        if request.POST.get("how") == "close" and person:
            for link in FamilyLink.objects.usable().filter(invitation=invitation, caregiver=person):
                links.revoke(link, by=request.user)
            messages.success(request, _("Closed. Nobody can answer by that link any more."))
            return redirect(f"{request.path}?caregiver={person.pk}")
        if request.POST.get("how") == "own" and person:
            if blocked := family_messages.blockers(invitation):
                raise NotReady(*blocked)
            links.mint(invitation, person, by=request.user)
            return redirect(f"{request.path}?caregiver={person.pk}#own")
        sent = family_messages.invite(invitation, by=request.user)
    except NotReady as refused:
        for sentence in refused.sentences:
            messages.error(request, sentence)
        return redirect("invitation_write", invitation.pk)
    if sent:
        count = len(sent)
        said = ngettext("%(n)s message is on its way.", "%(n)s messages are on their way.", count)
        later = min(message.next_try_at for message in sent)
        if later > clock.now():
            said = ngettext(
                "%(n)s message goes out %(when)s: not in the quiet hours.",
                "%(n)s messages go out %(when)s: not in the quiet hours.",
                count,
            )
        messages.success(request, said % {"n": count, "when": wording.moment(later)})
    else:
        messages.info(request, _("They were written to already. Nothing was sent twice."))
    return redirect(invitation)
