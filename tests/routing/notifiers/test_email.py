from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from routing.content import built_in, worded
from routing.notifiers.email import Email
from routing.notifiers.notifier import Answer
from schemas.outcome import Deferred, Delivered, Undeliverable
from tests.fakes import BODY, CONTENT, NOW, content, driven, page, update

KNOWN = {
    "env:SMTP_SERVER": "smtp.example.com",
    "env:SMTP_FROM": "oversight@example.com",
    "env:ANA": "ana@example.com",
}
TAKEN = Answer(status=250, body=b"2.0.0 Ok: queued")
REFERENCE = "<pag-1@example.com> CRITICAL: retail: 35 of 35 sessions fail"


def known(reference: str) -> str:
    return KNOWN[reference] if reference.startswith("env:") else reference


def attempt(message, *answers: Answer, rendered=None, resolver=known):
    return driven(Email(), message, rendered or built_in(message), resolver, *answers)


def mail_to_ana(**changes):
    return page("email", "ana@example.com", **changes)


def read(step):
    return message_from_bytes(step.content, policy=default)


def parts(step) -> dict:
    """Contents by type; line breaks as we write them."""
    whole = [part for part in read(step).walk() if not part.is_multipart()]
    contents = {part.get_content_type(): part.get_content() for part in whole}
    texts = {kind: text.replace("\r\n", "\n") for kind, text in contents.items() if isinstance(text, str)}
    return contents | texts


def test_the_rich_page_is_a_letter_with_text_html_and_the_chart():
    (step,), outcome = attempt(mail_to_ana(), TAKEN)
    mail = read(step)
    assert (step.server, step.port, step.security) == ("smtp.example.com", 587, "starttls")
    assert (step.username, step.password) == ("", "")
    assert (mail["From"], mail["To"]) == ("oversight@example.com", "ana@example.com")
    assert mail["Subject"] == "CRITICAL: retail: 35 of 35 sessions fail"
    assert mail["Message-ID"] == "<pag-1@example.com>"
    assert mail["References"] == "<inc-1@example.com>"
    assert mail["Date"].datetime == NOW
    assert mail["Importance"] == "high"
    assert mail["Auto-Submitted"] == "auto-generated"
    found = parts(step)
    assert list(found) == ["text/plain", "text/html", "image/png"]
    assert BODY in found["text/plain"]
    assert CONTENT.next_step in found["text/html"]
    assert 'src="cid:chart.pag-1@agent-oversight"' in found["text/html"]
    assert found["image/png"].startswith(b"\x89PNG")
    assert outcome == Delivered(reference=REFERENCE)


def test_updates_answer_the_page_under_its_subject_so_that_threads_form():
    for reason in ("updated", "acknowledged", "resolved"):
        message = update(mail_to_ana(), reason, reference=REFERENCE)
        (step,), outcome = attempt(message, TAKEN)
        mail = read(step)
        assert mail["Subject"] == "Re: CRITICAL: retail: 35 of 35 sessions fail"
        assert mail["Message-ID"] == "<upd-1@example.com>"
        assert mail["In-Reply-To"] == "<pag-1@example.com>"
        assert mail["References"] == "<inc-1@example.com> <pag-1@example.com>"
        assert (mail["Importance"] == "high") == (reason == "updated")
        assert outcome == Delivered(reference=REFERENCE)
    assert parts(step)["text/plain"].startswith("RESOLVED: retail")


def test_an_update_without_a_reference_still_answers_the_page():
    (step,), _ = attempt(update(mail_to_ana(), "resolved"), TAKEN)
    assert read(step)["In-Reply-To"] == "<pag-1@example.com>"


def test_what_is_no_id_of_a_letter_is_made_one():
    (step,), _ = attempt(mail_to_ana(incident="handoff:night shift <x>"), TAKEN)
    assert read(step)["References"] == "<handoff-night-shift-x-@example.com>"


def test_a_repeated_attempt_is_the_same_letter():
    first = mail_to_ana()
    again = mail_to_ana(attempt=3, began=NOW, time=NOW + timedelta(minutes=5))
    (one,), _ = attempt(first, TAKEN)
    (other,), _ = attempt(again, TAKEN)
    assert read(one)["Message-ID"] == read(other)["Message-ID"]
    assert read(one)["Date"] == read(other)["Date"]
    (twin,), _ = attempt(first, TAKEN)
    assert one.content == twin.content


def test_words_of_others_are_escaped_and_lead_nowhere():
    hostile = '<a href="https://evil.example">x</a>\r\nBcc: all@example.com'
    (step,), _ = attempt(mail_to_ana(content=content(title=hostile, team=hostile)), TAKEN)
    mail, html = read(step), parts(step)["text/html"]
    assert mail["Bcc"] is None
    assert '<a href="https://evil.example' not in html
    assert "&lt;a href=&quot;https://evil.example" in html


def test_a_page_without_history_has_no_picture():
    (step,), _ = attempt(mail_to_ana(content=content(signals=())), TAKEN)
    assert list(parts(step)) == ["text/plain", "text/html"]
    assert "cid:" not in parts(step)["text/html"]


def test_a_teams_own_words_are_the_letter():
    message = mail_to_ana()
    (step,), _ = attempt(message, TAKEN, rendered=worded(message, "line <one>\nline two"))
    assert "line <one>\nline two" in parts(step)["text/plain"]
    assert "line &lt;one&gt;<br>line two" in parts(step)["text/html"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ("smtp.example.com", 587, "starttls")),
        ({"security": "tls"}, ("smtp.example.com", 465, "tls")),
        ({"security": "none", "server": "localhost"}, ("localhost", 25, "none")),
        ({"server": "[::1]:2525"}, ("::1", 2525, "starttls")),
    ],
)
def test_server_and_security_may_be_the_channels_own(options, expected):
    (step,), _ = attempt(mail_to_ana(options=options), TAKEN)
    assert (step.server, step.port, step.security) == expected


def test_name_and_password_come_from_options_or_the_environment():
    (step,), _ = attempt(mail_to_ana(options={"username": "me", "password": "pw"}), TAKEN)
    assert (step.username, step.password) == ("me", "pw")
    variables = KNOWN | {"env:SMTP_USERNAME": "me", "env:SMTP_PASSWORD": "word", "env:SMTP_SECURITY": "tls"}
    (step,), _ = attempt(page("email", "env:ANA"), TAKEN, resolver=variables.__getitem__)
    assert (step.username, step.password, step.port) == ("me", "word", 465)


@pytest.mark.parametrize(
    ("target", "options", "why"),
    [
        ("ana", {}, "expected an address such as oncall@example.com, found 'ana'"),
        ("a@x.example, b", {}, "expected an address such as oncall@example.com, found 'b'"),
        ("a@x\r\nRCPT TO:<b@y>", {}, "expected an address"),
        ("ana@x.example", {"from": "me"}, "expected an address such as oncall@example.com, found 'me'"),
        ("ana@x.example", {"security": "ssl"}, "expected one of starttls, tls, none; found 'ssl'"),
        ("ana@x.example", {"server": "a b"}, "expected a server such as smtp.example.com:587, found 'a b'"),
    ],
)
def test_what_cannot_be_right_is_refused_without_a_call(target, options, why):
    steps, outcome = attempt(page("email", target, options=options))
    assert steps == []
    assert isinstance(outcome, Undeliverable)
    assert outcome.reason.startswith(why)


def test_the_reply_decides():
    def outcome(status, body=b""):
        return attempt(mail_to_ana(), Answer(status=status, body=body))[1]

    assert outcome(451, b"4.7.1 greylisted") == Deferred(reason="SMTP 451 4.7.1 greylisted")
    assert outcome(550, b"5.1.1 no such user") == Undeliverable(reason="SMTP 550 5.1.1 no such user")
    assert attempt(mail_to_ana(), Answer(status=0))[1] == Deferred(reason="no answer")
