from base64 import b64decode

import msgspec
import pytest

from routing.content import built_in, worded
from routing.notifiers.notifier import Answer
from routing.notifiers.teams import Teams
from routing.words.cards import LIMIT, LINES, envelope
from routing.words.chart import chart
from schemas.outcome import Deferred, Delivered, Undeliverable
from schemas.signal import Sample
from tests.fakes import CONTENT, NOW, body_of, content, driven, page, update

FLOW = "https://flows.example/invoke?sig=s3cr3t"
SECRETS = {"env:FLOW": FLOW, "#triage": "#triage"}.__getitem__
TAKEN = Answer(status=202)


def attempt(message, *answers: Answer, rendered=None):
    return driven(Teams(), message, rendered or built_in(message), SECRETS, *answers)


def card_of(call) -> dict:
    (attachment,) = body_of(call)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    return attachment["content"]


def texts(card) -> list[str]:
    return ["".join(run["text"] for run in block["inlines"]) for block in card["body"] if "inlines" in block]


def test_a_page_is_a_card_with_the_facts_and_links():
    (call,), outcome = attempt(page("teams", "env:FLOW"), TAKEN)
    assert (call.method, call.url) == ("POST", FLOW)
    card = card_of(call)
    assert card["fallbackText"] == "CRITICAL: retail: 35 of 35 sessions fail"
    assert card["body"][0]["style"] == "attention"
    told = texts(card)
    assert told[0] == "What: All 35 sessions of retail end in an error: customers get no answer"
    assert "Trend: rising ▁▁▁▁▄█" in told
    assert told[-1] == "inc-1 · to ana · opened · pag-1"
    assert [(each["title"], each["url"]) for each in card["actions"]] == [
        ("trace", "https://traces.example/t/4bf92f"),
        ("runbook", CONTENT.runbook),
        ("dashboard", CONTENT.dashboard),
    ]
    assert outcome == Delivered(reference="pag-1")


def test_the_chart_of_a_page_is_within_the_card():
    (call,), _ = attempt(page("teams", "env:FLOW"), TAKEN)
    (picture,) = [each for each in card_of(call)["body"] if each["type"] == "Image"]
    kind, _, encoded = picture["url"].partition(",")
    assert kind == "data:image/png;base64"
    assert b64decode(encoded) == chart(CONTENT.signals[0], "alarm")
    assert picture["altText"].startswith("the last 6 minutes")
    for bare in (
        content(signals=()),
        content(signals=(msgspec.structs.replace(CONTENT.signals[0], history=()),)),
    ):
        (call,), _ = attempt(page("teams", "env:FLOW", content=bare), TAKEN)
        assert b'"Image"' not in call.body


def test_no_text_is_read_as_markdown():
    """A TextBlock and a FactSet would read it; a run of a RichTextBlock does not."""
    (call,), _ = attempt(page("teams", "env:FLOW"), TAKEN)
    assert b"TextBlock" not in call.body.replace(b"RichTextBlock", b"")
    assert b"FactSet" not in call.body


def test_an_acknowledgement_and_a_resolution_are_short_cards():
    for reason, word in (("acknowledged", "acknowledged by bo"), ("resolved", "resolved")):
        (call,), outcome = attempt(update(page("teams", "env:FLOW"), reason), TAKEN)
        card = card_of(call)
        assert card["body"][0]["style"] == "good"
        assert f"Status: {word}" in texts(card)
        assert len(card["body"]) <= 6
        assert outcome == Delivered(reference="upd-1")


def test_what_only_an_edit_could_show_is_not_sent():
    steps, outcome = attempt(update(page("teams", "env:FLOW"), "updated"))
    assert (steps, outcome) == ([], Delivered(reference="upd-1"))


def test_a_later_attempt_says_that_it_may_have_come_before():
    (call,), _ = attempt(page("teams", "env:FLOW", attempt=2), TAKEN)
    assert texts(card_of(call))[-1].endswith("pag-1 · attempt 2, it may have come before")


def test_a_teams_own_words_are_lines_up_to_a_bound():
    message = page("teams", "env:FLOW")
    (call,), _ = attempt(message, TAKEN, rendered=worded(message, "one\n\ntwo"))
    assert texts(card_of(call))[:3] == ["one", " ", "two"]
    many = worded(message, "\n".join(str(n) for n in range(200)))
    (call,), _ = attempt(message, TAKEN, rendered=many)
    assert len(texts(card_of(call))) == LINES + 3
    assert "198 199" in texts(card_of(call))[-2]
    (call,), _ = attempt(message, TAKEN, rendered=msgspec.structs.replace(many, body=""))
    assert texts(card_of(call))[0] == " "


def test_a_card_that_would_be_too_large_is_shortened_and_loses_no_fact():
    fire = "🔥" * 300
    samples = tuple(
        Sample(event="e", time=NOW, text=fire, trace=f"https://traces.example/{n}{'🔥' * 240}")
        for n in range(3)
    )
    signal = msgspec.structs.replace(CONTENT.signals[0], summary=fire, changes=(fire,) * 3, samples=samples)
    addresses = {"runbook": f"https://r.example/{'🔥' * 240}", "dashboard": f"https://d.example/{'🔥' * 900}"}
    large = content(signals=(signal,) * 5, title=fire, related=(fire,) * 3, next_step=fire, **addresses)
    message = page("teams", "env:FLOW", content=large)
    body = envelope(message, built_in(message))
    assert len(body) <= LIMIT
    (attachment,) = msgspec.json.decode(body)["attachments"]
    labels = [text.split(":")[0] for text in texts(attachment["content"])]
    assert {fact.label for fact in built_in(message).facts} <= set(labels)
    assert [each["title"] for each in attachment["content"]["actions"]] == [
        "trace",
        "trace",
        "trace",
        "runbook",
    ]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(status=200, body=b"1"), Delivered(reference="pag-1")),
        (Answer(status=413), Undeliverable(reason="HTTP 413")),
        (Answer(status=502), Deferred(reason="HTTP 502")),
        (
            Answer(
                status=200, body=b"Webhook message delivery failed with error: returned HTTP error 429 with"
            ),
            Deferred(reason="rate limited"),
        ),
        (
            Answer(status=200, body=b"Webhook message delivery failed with error: returned HTTP error 413"),
            Undeliverable(reason="Webhook message delivery failed with error: returned HTTP error 413"),
        ),
    ],
)
def test_the_answer_decides_also_where_200_means_an_error(answer, expected):
    assert attempt(page("teams", "env:FLOW"), answer)[1] == expected


def test_what_is_no_web_address_is_refused_without_a_call():
    steps, outcome = attempt(page("teams", "#triage"))
    assert steps == []
    assert outcome == Undeliverable(reason="the target of teams must be an http or https address")
