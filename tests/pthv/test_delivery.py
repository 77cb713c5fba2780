"""Messages to families on real servers: each arrives once, in its hours, in its order."""

import base64
import datetime
import hashlib
import hmac
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.core.mail.backends.smtp import EmailBackend
from django.db import connection, transaction
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from pthv import clock, delivery, outbox, stops, texts, tokens
from pthv.models import Message, Program, TextStop
from tests.conftest import CHICAGO, NOW
from tests.text_provider import SECRET

MINUTE = datetime.timedelta(minutes=1)
HOUR = 60 * MINUTE
PHONE, OTHER = "+13125550142", "+13125550143"


class Killed(BaseException):
    """The worker is gone, whatever it was doing."""


@pytest.fixture
def post(program) -> Callable[..., Message]:
    def post(key: int = 1, channel: str = "text", of: Program = program, **fields) -> Message:
        values = {
            "kind": "invitation",
            "key": str(key),
            "channel": channel,
            "address": PHONE if channel == "text" else "marta@example.org",
            "subject": "Una visita" if channel == "email" else "",
            "body": f"{key}: ¿Podemos visitarles?",
            "about": "invitation:1",
            "recipient": "caregiver:1",
            "language": "es",
        }
        values |= fields
        with transaction.atomic():
            (message,) = outbox.drafts(of, values.pop("kind"), [values.pop("key")]).values()
            for name, value in values.items():
                setattr(message, name, value)
            outbox.post(of, [message])
        return message

    return post


def state(message: Message) -> str:
    message.refresh_from_db()
    return message.state


def test_a_text_is_queued_once_and_its_link_is_stored_nowhere(program, post, stand_in, settings):
    settings.SITE_URL = "https://visits.example"
    nonce = tokens.new_nonce()
    message = post(body="Su respuesta: {link}", link_nonce=nonce)
    with pytest.raises(ValueError, match="not enough"):
        post(body="Otra vez")

    assert outbox.send(message.pk) is True

    link = f"https://visits.example/f/{tokens.token(nonce)}/"
    assert stand_in.bodies == [f"Su respuesta: {link}"]
    assert state(message) == "sent"
    assert (message.provider_id, message.sent_at) == (stand_in.taken[0]["sid"], NOW)
    callback = f"https://visits.example/texts/status/?message={message.pk}"
    assert stand_in.forms[0]["StatusCallback"] == callback
    with connection.cursor() as cursor:
        cursor.execute("SELECT m::text FROM pthv_message m")
        assert tokens.token(nonce) not in str(cursor.fetchall())


@contextmanager
def dying(step: int) -> Iterator[list[int]]:
    """Die at this step: before or after a question to the database, or a server."""
    taken = [0]

    def tick() -> None:
        taken[0] += 1
        if taken[0] == step:
            raise Killed

    def asked(execute, sql, params, many, context):
        tick()
        found = execute(sql, params, many, context)
        tick()
        return found

    def around(call):
        def called(*args, **kwargs):
            tick()
            answer = call(*args, **kwargs)
            tick()
            return answer

        return called

    with pytest.MonkeyPatch.context() as patch, connection.execute_wrapper(asked):
        patch.setattr(texts.Twilio, "_ask", around(texts.Twilio._ask))
        patch.setattr(EmailBackend, "send_messages", around(EmailBackend.send_messages))
        yield taken


def steps_of(message: Message) -> int:
    with dying(step=0) as taken:
        assert outbox.send(message.pk)
    return taken[0]


@pytest.mark.django_db(transaction=True)
def test_a_text_arrives_once_whenever_the_worker_is_killed(post, stand_in):
    steps = steps_of(post(0))
    assert steps > 8
    for step in range(1, steps + 1):
        message = post(step)
        with pytest.raises(Killed), dying(step):
            outbox.send(message.pk)
        for minutes in (0, 5, 10):
            with clock.at(NOW + minutes * MINUTE):
                outbox.sweep()
        assert state(message) == "sent", step

    assert stand_in.bodies == [f"{number}: ¿Podemos visitarles?" for number in range(steps + 1)]
    assert Message.objects.exclude(state="sent").count() == 0


@pytest.mark.django_db(transaction=True)
def test_an_email_arrives_once_but_where_the_worker_dies_right_after_the_servers_yes(
    post, mail_server
):
    """Then, and only then, a second copy comes under the same Message-ID."""
    steps = steps_of(post(0, "email"))
    doubled = []
    for step in range(1, steps + 1):
        message = post(step, "email")
        with pytest.raises(Killed), dying(step):
            outbox.send(message.pk)
        one = f"<pthv-{message.program_id}-{message.pk}@pthv.invalid>"
        taken = mail_server.ids.count(one)
        for minutes in (0, 5, 10):
            with clock.at(NOW + minutes * MINUTE):
                outbox.sweep()
        assert state(message) == "sent", step
        copies = mail_server.ids.count(one)
        assert copies == 1 or (copies, taken) == (2, 1)
        doubled += [step] if copies == 2 else []

    assert set(mail_server.ids) == {
        f"<pthv-{message.program_id}-{message.pk}@pthv.invalid>"
        for message in Message.objects.all()
    }
    # Right after the server's yes, and before it is noted.
    assert len(doubled) == 2


KILLED_WORKER = """
import os, sys
import django
django.setup()
from django.conf import settings
from pthv import delivery, outbox
settings.TEXT_URL, pk, when = sys.argv[1], int(sys.argv[2]), sys.argv[3]
hand_over = outbox.hand_over
def dies(message, **kwargs):
    if when == "after":
        hand_over(message, **kwargs)
    os._exit(9)
outbox.hand_over = dies
outbox.send(pk)
"""


@pytest.mark.real_clock
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_process_that_is_really_killed_doubles_nothing(
    post, stand_in, program, when, monkeypatch
):
    program.quiet_from = program.quiet_until
    program.save()
    message = post()
    name = connection.settings_dict["NAME"]
    url = f"postgresql://app@/{name}?{settings_query()}"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "pthv.settings")
    command = [sys.executable, "-c", KILLED_WORKER, stand_in.url, str(message.pk), when]
    assert subprocess.run(command, check=False, timeout=60).returncode == 9
    assert len(stand_in.taken) == (when == "after")

    with clock.at(clock.now() + 6 * MINUTE):
        assert outbox.sweep() == 1

    assert state(message) == "sent"
    assert len(stand_in.taken) == 1


def settings_query() -> str:
    kept = connection.settings_dict
    return f"host={kept['HOST'] or kept['OPTIONS'].get('host', '')}&port={kept['PORT'] or 5432}"


@pytest.mark.parametrize("down", [503, "hangs up"])
def test_an_hour_without_the_provider_loses_and_doubles_nothing(post, stand_in, down):
    stand_in.down = down
    queued = [post(1), post(2, address=OTHER), post(3), post(4, address=OTHER)]
    for message in queued:
        outbox.send(message.pk)
    asked = {}
    for minutes in range(0, 61, 5):
        before = stand_in.asked
        with clock.at(NOW + minutes * MINUTE):
            assert outbox.sweep() == 0
        asked[minutes] = stand_in.asked - before
    # Once a sweep: the others don't wait for it to answer too.
    assert set(asked.values()) <= {0, 1} and sum(asked.values()) >= 11
    assert {state(message) for message in queued} == {"queued"}
    assert {message.attempts for message in queued} == {0}
    assert queued[0].problem == "unavailable"

    stand_in.down = None
    for minutes in (65, 70):
        with clock.at(NOW + minutes * MINUTE):
            outbox.sweep()

    assert [body[0] for body in stand_in.bodies] == ["1", "2", "3", "4"]
    assert {state(message) for message in queued} == {"sent"}
    assert queued[0].problem == ""


def test_what_it_took_as_it_went_down_is_not_sent_again(post, stand_in):
    message = post()
    stand_in.forgets_to_say = True
    outbox.send(message.pk)
    assert (state(message), len(stand_in.taken)) == ("queued", 1)

    stand_in.forgets_to_say = False
    with clock.at(NOW + 5 * MINUTE):
        outbox.sweep()

    assert (state(message), len(stand_in.taken)) == ("sent", 1)
    assert message.provider_id == stand_in.taken[0]["sid"]


def test_the_same_words_to_the_same_number_twice_are_two_texts(post, stand_in):
    first, second = post(1, body="Cancelada"), post(2, body="Cancelada")
    outbox.send(first.pk)
    stand_in.down = 500
    outbox.send(second.pk)
    stand_in.down = None

    with clock.at(NOW + 5 * MINUTE):
        outbox.sweep()

    assert [state(first), state(second)] == ["sent", "sent"]
    assert len(stand_in.taken) == 2


def test_what_comes_later_waits_for_what_came_before_to_one_address(post, stand_in):
    first, second, other = post(1), post(2), post(3, address=OTHER)

    assert outbox.send(second.pk) is False
    assert outbox.send(other.pk) is True
    assert outbox.send(first.pk) is True
    assert outbox.send(second.pk) is True


def test_a_number_that_does_not_exist_is_tried_once(post, stand_in):
    stand_in.refuses[PHONE] = 21614
    message = post()

    assert outbox.send(message.pk) is False

    assert (state(message), message.problem, message.attempts) == ("failed", "refused", 1)
    assert outbox.send(message.pk) is False
    assert stand_in.asked == 1


def test_whoever_stops_between_queue_and_send_is_not_texted(program, post, stand_in, educator):
    waiting, email_too = post(1), post(2, "email")

    stops.stop(PHONE)

    assert (state(waiting), waiting.problem) == ("withdrawn", "stopped")
    assert state(email_too) == "queued"
    late = post(3)
    assert outbox.send(late.pk) is False
    assert (state(late), late.problem, stand_in.asked) == ("failed", "stopped", 0)

    stops.lift(PHONE)
    outbox.send_again(late, by=educator)
    assert outbox.send(late.pk) is True


def test_a_stop_that_the_provider_heard_first_is_kept(post, stand_in):
    stand_in.refuses[PHONE] = 21610
    first, second = post(1), post(2)

    outbox.send(first.pk)

    assert (state(first), first.problem) == ("failed", "stopped")
    assert state(second) == "withdrawn"
    assert stops.is_stopped(PHONE)


def test_what_is_withdrawn_is_not_sent(program, post, stand_in):
    post(1), post(2, about="invitation:2"), post(3, kind="please_answer")

    assert outbox.withdraw(program, about="invitation:1", kinds=["please_answer"]) == 1
    assert outbox.withdraw(program, recipient="caregiver:1") == 2
    assert outbox.withdraw(program, recipient="caregiver:1") == 0
    with pytest.raises(ValueError, match="whom"):
        outbox.withdraw(program)
    assert outbox.sweep() == 0


def test_what_was_withdrawn_while_it_was_sent_was_sent(program, post, stand_in, monkeypatch):
    message = post()
    take = stand_in.take

    def meanwhile(form):
        outcome.append(True)
        return take(form)

    outcome: list[bool] = []
    monkeypatch.setattr(stand_in, "take", meanwhile)
    hand_over = outbox.hand_over

    def withdrawn(message, **kwargs):
        outbox.withdraw(program, about="invitation:1")
        return hand_over(message, **kwargs)

    monkeypatch.setattr(outbox, "hand_over", withdrawn)
    outbox.send(message.pk)

    assert outcome and state(message) == "sent"


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("550 5.1.1 No such user", ("failed", "refused")),
        ("550 No such user here", ("failed", "refused")),
        ("550 5.7.1 Relaying denied", ("queued", "")),
        ("552 5.2.2 Mailbox full", ("queued", "")),
        ("450 4.2.1 Try later", ("queued", "")),
    ],
)
def test_an_address_that_does_not_exist_is_tried_once(post, mail_server, answer, wanted):
    mail_server.answers["marta@example.org"] = answer
    message = post(1, "email")

    outbox.send(message.pk)

    assert (state(message), message.problem) == wanted


def test_of_our_own_people_a_refusal_is_tried_again(
    program, educator, partner, mail_server, settings
):
    mail_server.answers[educator.email] = "550 5.1.1 No such user"
    message = outbox.queue(program, "account_made", educator, {"by": partner}, key="1")

    outbox.send(message.pk)

    assert state(message) == "queued"


def test_an_email_says_its_language_and_comes_under_one_id(post, mail_server):
    message = post(1, "email", body="¿Podemos visitarles? Il dimanche — 家访")

    outbox.send(message.pk)

    (mail,) = mail_server.arrived
    assert mail["Content-Language"] == "es" and mail["Subject"] == "Una visita"
    assert mail.get_content().strip() == "¿Podemos visitarles? Il dimanche — 家访"
    assert mail_server.ids == [f"<pthv-{message.program_id}-{message.pk}@pthv.invalid>"]


def local(month: int, day: int, hour: int, minute: int = 0, fold: int = 0) -> datetime.datetime:
    return datetime.datetime(2026, month, day, hour, minute, tzinfo=CHICAGO, fold=fold)


@pytest.mark.parametrize(
    ("hours", "queued", "sent"),
    [
        (("20:00", "08:00"), local(10, 6, 13), local(10, 6, 13)),
        (("20:00", "08:00"), local(10, 6, 19, 59), local(10, 6, 19, 59)),
        (("20:00", "08:00"), local(10, 6, 20), local(10, 7, 8)),
        (("20:00", "08:00"), local(10, 6, 23, 59), local(10, 7, 8)),
        (("20:00", "08:00"), local(10, 7, 0), local(10, 7, 8)),
        (("20:00", "08:00"), local(10, 7, 8), local(10, 7, 8)),
        # The night of March 8 is an hour shorter, that of November 1 an hour longer.
        (("20:00", "08:00"), local(3, 7, 22), local(3, 8, 8)),
        (("20:00", "08:00"), local(10, 31, 22), local(11, 1, 8)),
        (("20:00", "02:30"), local(3, 7, 22), local(3, 8, 3)),
        (("20:00", "01:30"), local(10, 31, 22), local(11, 1, 1, 30, fold=1)),
        (("01:00", "06:00"), local(10, 7, 0, 30), local(10, 7, 0, 30)),
        (("01:00", "06:00"), local(10, 7, 2), local(10, 7, 6)),
        (("08:00", "08:00"), local(10, 7, 2), local(10, 7, 2)),
    ],
)
def test_no_phone_rings_in_the_quiet_hours(program, post, stand_in, hours, queued, sent):
    start, end = map(datetime.time.fromisoformat, hours)
    program.quiet_from, program.quiet_until = start, end
    program.save()
    with clock.at(queued):
        message = post()
        outbox.send(message.pk)
    moment = queued.astimezone(datetime.UTC)
    while state(message) == "queued":
        moment += MINUTE
        with clock.at(moment):
            outbox.sweep()

    assert message.sent_at == sent.astimezone(datetime.UTC)


def test_the_worker_takes_up_what_waited_for_the_morning_then(program, post):
    with clock.at(local(10, 6, 22)):
        message = post()

    job = ProcrastinateJob.objects.get(args__message_id=message.pk)
    assert job.scheduled_at == message.next_try_at == local(10, 7, 8)


def test_what_is_tried_again_keeps_quiet_too(program, post, stand_in):
    stand_in.down = 503
    message = post()
    with clock.at(local(10, 6, 19, 57)):
        outbox.send(message.pk)
    stand_in.down = None
    moment = local(10, 6, 20)
    while state(message) == "queued":
        with clock.at(moment):
            outbox.sweep()
        moment += 5 * MINUTE

    assert message.sent_at == local(10, 7, 8)


def test_what_was_taken_before_the_night_is_not_sent_again_after_it(program, post, stand_in):
    stand_in.forgets_to_say = True
    with clock.at(local(10, 6, 19, 57)):
        message = post()
        outbox.send(message.pk)
    stand_in.forgets_to_say = False
    for moment in (local(10, 6, 20, 5), local(10, 7, 8)):
        with clock.at(moment):
            outbox.sweep()

    assert (state(message), len(stand_in.taken)) == ("sent", 1)


@pytest.mark.parametrize("address", [PHONE, OTHER])
@pytest.mark.parametrize("down", [None, 503])
def test_the_night_of_one_program_keeps_no_text_of_another(
    program, other_program, post, stand_in, down, address
):
    other_program.quiet_from = other_program.quiet_until
    other_program.save()
    stand_in.down = down
    with clock.at(local(10, 6, 19, 57)):
        message = post()
        if down:
            outbox.send(message.pk)
    stand_in.down = None
    with clock.at(local(10, 6, 20, 5)):
        assert outbox.send(message.pk) is False
        assert (state(message), message.problem) == ("queued", "")
        assert message.next_try_at == local(10, 7, 8)

        assert outbox.send(post(of=other_program, address=address).pk) is True


def test_a_provider_that_was_down_keeps_others_no_longer_than_till_it_is_asked_again(
    post, stand_in
):
    message, other = post(), post(2, address=OTHER)
    tomorrow = {"problem": "unavailable", "next_try_at": NOW + 12 * HOUR}
    Message.objects.filter(pk=message.pk).update(**tomorrow)

    assert outbox.send(other.pk) is True


def test_one_that_may_ring_at_night_does(program, post, stand_in):
    with clock.at(local(10, 6, 22)):
        message = post(quiet=False)
        assert outbox.send(message.pk) is True


@pytest.fixture
def tell(stand_in, settings) -> Callable[..., object]:
    """What the provider says to us, signed."""
    settings.SITE_URL = "https://visits.example"

    def tell(path: str, fields: dict[str, str], secret: str = SECRET):
        said = f"https://visits.example{path}"
        said += "".join(name + fields[name] for name in sorted(fields))
        digest = hmac.new(secret.encode(), said.encode(), hashlib.sha1).digest()
        headers = {"X-Twilio-Signature": base64.b64encode(digest).decode()}
        return Client(enforce_csrf_checks=True).post(path, fields, headers=headers)

    return tell


@pytest.mark.parametrize("said", ["STOP", " stop. ", "Stop texting me", "ALTO", "退订", "إيقاف"])
def test_stop_is_heard_at_once(post, tell, said):
    waiting = post()

    response = tell("/texts/reply/", {"From": PHONE, "Body": said})

    assert (response.status_code, response.content) == (200, b"<Response></Response>")
    assert TextStop.objects.get().phone == PHONE
    assert state(waiting) == "withdrawn"
    tell("/texts/reply/", {"From": PHONE, "Body": "hello?"})
    tell("/texts/reply/", {"From": PHONE, "Body": "Start"})
    assert not TextStop.objects.exists()


def test_anything_else_gets_one_sentence_and_is_kept_nowhere(post, tell):
    post(language="en")

    response = tell("/texts/reply/", {"From": PHONE, "Body": "Yes, please come <on> Friday"})

    assert b"<Message>Nobody reads" in response.content
    assert Message.objects.count() == 1 and not TextStop.objects.exists()


def test_what_the_provider_could_not_deliver_came_back(post, tell):
    gone, off, blocked = post(1), post(2, address=OTHER), post(3, address="+13125550144")
    for message in (gone, off, blocked):
        outbox.send(message.pk)
    for message, code in ((gone, "30006"), (off, "30003"), (blocked, "21610")):
        path = f"/texts/status/?message={message.pk}"
        message.refresh_from_db()
        said = {"MessageStatus": "undelivered", "ErrorCode": code}
        response = tell(path, said | {"MessageSid": message.provider_id})
        assert response.status_code == 204

    assert (state(gone), gone.problem, gone.sent_at) == ("bounced", "refused", NOW)
    assert (state(off), off.problem) == ("bounced", "")
    assert (state(blocked), blocked.problem) == ("bounced", "stopped")
    assert stops.is_stopped(blocked.address)


def test_that_it_came_back_may_be_known_before_that_it_went(post, stand_in, monkeypatch):
    message = post()
    hand_over = outbox.hand_over

    def too_fast(message, **kwargs):
        sid = hand_over(message, **kwargs)
        outbox.came_back(message.pk, "refused", provider_id=sid)
        return sid

    monkeypatch.setattr(outbox, "hand_over", too_fast)
    outbox.send(message.pk)

    assert (state(message), message.problem) == ("bounced", "refused")


def test_what_is_said_of_another_text_is_not_this_ones(post, tell, educator):
    message = post()
    outbox.send(message.pk)
    path, said = f"/texts/status/?message={message.pk}", {"MessageStatus": "failed"}
    for other in ({}, {"MessageSid": "SM9999"}):
        assert tell(path, said | other).status_code == 204
        assert state(message) == "sent"
    first = {"MessageSid": message.provider_id}
    tell(path, said | first)
    assert state(message) == "bounced"

    with transaction.atomic():
        outbox.send_again(message, by=educator)
    tell(path, said | first)
    assert state(message) == "queued"
    outbox.send(message.pk)
    tell(path, said | first)
    assert state(message) == "sent"


@pytest.mark.parametrize("phone", ["", "+1" + "5" * 30, "+1312\x005550142", "+1312\n5550142"])
def test_a_number_that_is_none_is_refused(phone, post, tell):
    post()

    for said in ("STOP", "START", "hello"):
        assert tell("/texts/reply/", {"From": phone, "Body": said}).status_code == 400
    fields = {"MessageStatus": "failed", "MessageSid": "SM\x00"}
    assert tell("/texts/status/?message=1", fields).status_code == 400
    assert not TextStop.objects.exists()


def test_nobody_else_speaks_for_the_provider(post, tell, settings):
    message = post()
    outbox.send(message.pk)
    fields = {"MessageStatus": "undelivered", "ErrorCode": "30006"}

    assert tell(f"/texts/status/?message={message.pk}", fields, "guess").status_code == 403
    assert tell("/texts/reply/", {"From": PHONE, "Body": "STOP"}, "guess").status_code == 403
    settings.TEXT_URL = ""
    assert tell("/texts/reply/", {"From": PHONE, "Body": "STOP"}).status_code == 403
    assert state(message) == "sent" and not TextStop.objects.exists()


@pytest.mark.parametrize("delivered", ["sent", "delivered", "queued"])
def test_what_arrived_stays_sent(post, tell, delivered):
    message = post()
    outbox.send(message.pk)

    tell(f"/texts/status/?message={message.pk}", {"MessageStatus": delivered})
    tell("/texts/status/?message=x", {"MessageStatus": "failed"})

    assert state(message) == "sent"


@pytest.mark.parametrize(
    "said",
    [
        "please stop", "Stop texting me!!", "ok stop please", "No more texts", "ＳＴＯＰ",
        "Don’t text me", "STOP.", "s t o p", "opt out", "Quit texting me", "leave me alone",
        "parar", "Alto por favor", "ya basta", "No más mensajes", "no me escriban más", "paren ya",
        "Pare de mandar mensagens agora mesmo", "não mande mais", "chega de mensagens",
        "dừng", "Ngừng", "xin dừng lại", "đừng nhắn tin nữa", "dung nhan tin nua",
        "停止发送", "请停止发短信", "退订", "别再发了", "不要给我发短信",
        "توقف", "توقّفوا من فضلكم", "أوقفوا الرسائل", "لا ترسلوا رسائل",
    ],
)  # fmt: skip
def test_a_stop_in_everyday_words(said):
    assert stops.means_stop(said)


@pytest.mark.parametrize(
    "said",
    [
        "", "?", "Don't stop", "dont stop", "please do not stop", "never stop!", "We stop by at 5",
        "We stop by on Friday", "can you stop by?", "Stop by anytime",
        "We are at the bus stop then",
        "no paren", "não pare", "đừng dừng", "请不要停止", "لا تتوقفوا",
        "Yes", "no", "No thank you", "No, gracias", "cancel the visit", "cancelar la visita",
        "cuándo?", "vâng ạ", "好的", "نعم",
        "I will tell my son to stop playing and come along with you",
    ],
)  # fmt: skip
def test_words_that_only_look_like_a_stop(said):
    assert not stops.means_stop(said)


def test_what_is_not_a_start_and_who_is_not_there():
    assert not stops.means_start("Yes")
    assert delivery._nobody_there((553, b"no"))
