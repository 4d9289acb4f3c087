import hmac
from hashlib import sha256

import msgspec

from routing.content import built_in
from routing.notifiers.notifier import Answer
from routing.notifiers.webhook import Webhook, signature
from schemas.outcome import Deferred, Delivered, Undeliverable
from tests.fakes import BODY, NOW, body_of, content, driven, page, update

URL = "https://sink.example/hook"
SECRETS = {URL: URL, "env:HOOK": URL, "env:KEY": "s3cr3t", "ftp://x": "ftp://x"}.__getitem__


def attempt(message, *answers: Answer):
    return driven(Webhook(), message, built_in(message), SECRETS, *answers)


def test_the_whole_message_is_posted_with_its_words():
    (call,), outcome = attempt(page("webhook", "env:HOOK"), Answer(status=200))
    assert (call.method, call.url) == ("POST", URL)
    body = body_of(call)
    assert body["version"] == 1
    assert body["rendered"]["title"] == "CRITICAL: retail: 35 of 35 sessions fail"
    assert body["rendered"]["body"] == BODY
    assert body["rendered"]["facts"][1] == {"label": "Where", "text": "env prod"}
    assert body["message"]["kind"] == "page"
    assert body["message"]["incident"] == "inc-1"
    assert body["message"]["content"]["signals"][0]["observed"] == 1.0
    assert outcome == Delivered(reference="pag-1")


def test_the_channel_stays_at_home():
    (call,), _ = attempt(page("webhook", "env:HOOK", options={"secret": "env:KEY"}), Answer(status=200))
    assert "channel" not in body_of(call)["message"]
    assert b"env:" not in call.body
    assert b"s3cr3t" not in call.body


def test_every_attempt_has_the_same_key():
    keys = {
        attempt(page("webhook", URL, attempt=n), Answer(status=500))[0][0].headers["idempotency-key"]
        for n in (1, 2, 3)
    }
    assert keys == {"pag-1"}
    (call,), outcome = attempt(update(page("webhook", URL), reference="pag-1"), Answer(status=204))
    assert call.headers["idempotency-key"] == "upd-1"
    assert outcome == Delivered(reference="upd-1")


def test_the_signature_covers_time_and_body():
    (call,), _ = attempt(page("webhook", URL, options={"secret": "env:KEY"}), Answer(status=200))
    time, version = call.headers["x-oversight-signature"].split(",")
    assert time == f"t={int(NOW.timestamp())}"
    signed = f"{int(NOW.timestamp())}.".encode() + call.body
    assert version == f"v1={hmac.new(b's3cr3t', signed, sha256).hexdigest()}"


def test_the_signature_is_as_documented():
    assert signature("key", b"{}", 1700000000) == (
        "t=1700000000,v1=" + hmac.new(b"key", b"1700000000.{}", "sha256").hexdigest()
    )


def test_without_a_secret_nothing_is_signed():
    (call,), _ = attempt(page("webhook", URL), Answer(status=200))
    assert "x-oversight-signature" not in call.headers


def test_what_is_no_web_address_is_refused_without_a_call():
    steps, outcome = attempt(page("webhook", "ftp://x"))
    assert steps == []
    assert outcome == Undeliverable(reason="the target of a webhook must be an http or https address")


def test_the_answer_decides():
    def outcome(status):
        return attempt(page("webhook", URL), Answer(status=status))[1]

    assert outcome(299) == Delivered(reference="pag-1")
    assert outcome(500) == Deferred(reason="HTTP 500")
    assert outcome(429) == Deferred(reason="rate limited")
    assert outcome(410) == Undeliverable(reason="HTTP 410")


def test_a_teams_template_is_not_sent_along():
    worded = msgspec.structs.replace(page().content, template="{{ secret }}")
    (call,), _ = attempt(page("webhook", URL, content=worded), Answer(status=200))
    assert "template" not in body_of(call)["message"]["content"]


def test_a_message_without_end_is_cut():
    labels = {f"name-{n:03d}{'x' * 1000}": "y" * 100_000 for n in range(200)}
    (call,), _ = attempt(page("webhook", URL, content=content(labels=labels)), Answer(status=200))
    told = body_of(call)["message"]["content"]["labels"]
    assert len(told) == 100
    assert all(len(name) <= 255 and len(value) <= 4000 for name, value in told.items())
