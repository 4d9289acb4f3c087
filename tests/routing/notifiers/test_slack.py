from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.content import built_in, worded
from routing.notifiers.notifier import Answer, Fact, Rendered
from routing.notifiers.slack import Slack
from routing.words.blocks import escaped
from schemas.deed import Deed
from schemas.outcome import Deferred, Delivered, Undeliverable
from tests.fakes import CONTENT, NOW, body_of, content, driven, page, update

API = "https://slack.com/api/"
KNOWN = {
    "env:SLACK_BOT_TOKEN": "xoxb-1",
    "env:OURS": "xoxb-2",
    "http://127.0.0.1/api": "http://127.0.0.1/api",
}
POSTED = Answer(status=200, body=b'{"ok": true, "channel": "C1", "ts": "171.5"}')
OK = Answer(status=200, body=b'{"ok": true}')
EMPTY = Answer(status=200, body=b'{"ok": true, "messages": []}')
LIMITED = Answer(status=429, headers={"retry-after": "30"})
DOWN = Answer(status=503)


def known(reference: str) -> str:
    return reference if reference[0] in "#CDGUW" or reference == "thread" else KNOWN[reference]


def attempt(message, *answers: Answer, rendered=None):
    return driven(Slack(), message, rendered or built_in(message), known, *answers)


def refused(error: str) -> Answer:
    return Answer(status=200, body=msgspec.json.encode({"ok": False, "error": error}))


def history(id_: str, ts: str = "171.5") -> Answer:
    metadata = {"event_type": "oversight_page", "event_payload": {"page": id_, "incident": "inc-1"}}
    other = {"ts": "1.0", "metadata": {"event_type": "other", "event_payload": {"page": id_}}}
    found = {"ts": ts, "metadata": metadata}
    return Answer(
        status=200, body=msgspec.json.encode({"ok": True, "messages": ["odd", {"ts": "0"}, other, found]})
    )


def test_the_rich_page_is_posted_in_blocks():
    (call,), outcome = attempt(page("slack"), POSTED)
    assert (call.method, call.url) == ("POST", API + "chat.postMessage")
    assert call.headers["authorization"] == "Bearer xoxb-1"
    said = body_of(call)
    assert said["channel"] == "#triage"
    assert said["text"] == "🔴 CRITICAL: retail: 35 of 35 sessions fail"
    assert said["metadata"] == {
        "event_type": "oversight_page",
        "event_payload": {"page": "pag-1", "incident": "inc-1"},
    }
    head, *sections, foot, actions = said["blocks"]
    assert head["text"]["text"] == "🔴 CRITICAL: retail: 35 of 35 sessions fail"
    assert [section["text"]["text"] for section in sections] == GOLDEN
    assert foot["elements"][0]["text"] == "inc-1 · to ana · opened"
    assert [(each["action_id"], each["value"]) for each in actions["elements"]] == [
        ("oversight.acknowledge", "inc-1"),
        ("oversight.snooze", "inc-1"),
        ("oversight.silence", "inc-1"),
        ("oversight.resolve", "inc-1"),
        ("oversight.false_alarm", "inc-1"),
    ]
    assert outcome == Delivered(reference="C1:171.5")


GOLDEN = [
    "*What*\nAll 35 sessions of retail end in an error: customers get no answer",
    "*Where*\nenv prod",
    "*Since*\n5 min (2026-02-22 11:39:30 UTC)",
    """*Observed*
100 % against 2.1 % (burning 72.4 times too fast) · budget burnt at 14.9 over 1h, 72.4 over 5m""",
    "*Trend*\nrising ▁▁▁▁▄█",
    "*Affected*\nat least 35 sessions, 31 users, 3 tenants; 100 % of all",
    """*Stands out*
request.model=gpt-4o: 100 % of the affected, 3.2 times as often as in the others
error.type=RateLimitError: 94 % of the affected, 41 times as often as in the others""",
    "*Changed*\n2026-02-22 11:40 UTC deploy retail 2.1 (was 2.0)",
    "*Related*\ninc-7: provider down, 2 min ago",
    """*Samples*
2026-02-22 11:44:10 UTC “Error code: 429 for &lt;email&gt;” · trace <https://traces.example/t/4bf92f>
2026-02-22 11:44:20 UTC “retail/e-2” · trace 0af7651916cd43dd""",
    '*Why critical*\nscore 100 of 100: burn rate 14.4 over 1h and 5m +90, env="prod" +15',
    "*Next*\nRoll 2.1 back, or move traffic to another provider",
    "*Runbook*\n<https://runbooks.example/retail?a=1&amp;b=2>",
    "*Dashboard*\n<https://dash.example/retail>",
    "*Team*\nshop",
]


def test_token_and_address_may_be_the_channels_own():
    options = {"token": "env:OURS", "url": "http://127.0.0.1/api"}
    (call,), _ = attempt(page("slack", options=options), POSTED)
    assert call.headers["authorization"] == "Bearer xoxb-2"
    assert call.url == "http://127.0.0.1/api/chat.postMessage"


def test_an_acknowledgement_edits_the_message_and_takes_its_button_away():
    message = update(page("slack"), "acknowledged", reference="C1:171.5")
    (call,), outcome = attempt(message, OK)
    said = body_of(call)
    assert call.url == API + "chat.update"
    assert (said["channel"], said["ts"]) == ("C1", "171.5")
    assert said["metadata"]["event_payload"]["page"] == "pag-1"
    assert [each["action_id"] for each in said["blocks"][-1]["elements"]] == [
        "oversight.snooze",
        "oversight.silence",
        "oversight.resolve",
        "oversight.false_alarm",
    ]
    assert said["text"].startswith("👀 ACKNOWLEDGED")
    assert outcome == Delivered(reference="C1:171.5")


def test_a_comment_edits_the_message_and_appears_in_its_thread():
    deeds = (
        Deed(at=NOW, by="<!ana>", did="commented", note="it is the provider"),
        Deed(at=NOW, by="bo", did="acknowledged"),
    )
    shown = content(status="triggered", deeds=deeds)
    message = update(page("slack"), "commented", reference="C1:171.5", content=shown)
    (edit, reply), _ = attempt(message, OK, POSTED)
    assert edit.url == API + "chat.update"
    assert body_of(reply)["thread_ts"] == "171.5"
    assert body_of(reply)["text"] == "💬 &lt;!ana&gt;: it is the provider"


def test_a_resolution_edits_the_message_and_replies_in_its_thread():
    message = update(page("slack"), "resolved", reference="C1:171.5")
    (edit, reply), outcome = attempt(message, OK, POSTED)
    asked = [each["action_id"] for each in body_of(edit)["blocks"][-1]["elements"]]
    assert asked == ["oversight.useful", "oversight.false_alarm"]
    assert reply.url == API + "chat.postMessage"
    assert body_of(reply)["thread_ts"] == "171.5"
    assert body_of(reply)["text"].startswith("✅ RESOLVED")
    assert body_of(reply)["metadata"]["event_payload"]["page"] == "upd-1"
    assert outcome == Delivered(reference="C1:171.5")


def test_a_resolution_that_was_cut_off_replies_once():
    again = update(page("slack"), "resolved", reference="C1:171.5", attempt=2)
    steps, outcome = attempt(again, OK, history("upd-1"))
    assert len(steps) == 2
    assert "conversations.replies?channel=C1&ts=171.5&" in steps[1].url
    assert isinstance(outcome, Delivered)
    steps, _ = attempt(again, OK, EMPTY, POSTED)
    assert len(steps) == 3
    assert attempt(again, OK, LIMITED)[1].reason == "rate limited"
    assert attempt(update(page("slack"), "resolved", reference="C1:1.5"), OK, DOWN)[1] == Deferred(
        reason="HTTP 503"
    )


def test_an_update_of_a_page_without_a_reference_is_refused():
    _, outcome = attempt(update(page("slack"), reference=""))
    assert outcome == Undeliverable(reason="the reference of the page must be channel:ts")
    _, outcome = attempt(update(page("slack"), reference="C1:1.5"), refused("message_not_found"))
    assert outcome == Undeliverable(reason="Slack chat.update: message_not_found")


TICKET = Answer(status=200, body=b'{"ok": true, "file_id": "F1", "upload_url": "https://files.example/up"}')
CHART = {"chart": "thread"}


def test_the_chart_goes_into_the_thread_of_the_page():
    (_, ticket, upload, share), outcome = attempt(page("slack", options=CHART), POSTED, TICKET, OK, OK)
    assert ticket.url.startswith(API + "files.getUploadURLExternal?filename=history.png&length=")
    assert (upload.url, upload.body[:4]) == ("https://files.example/up", b"\x89PNG")
    assert "authorization" not in upload.headers
    assert share.url == API + "files.completeUploadExternal"
    assert body_of(share)["channel_id"] == "C1"
    assert body_of(share)["thread_ts"] == "171.5"
    assert outcome == Delivered(reference="C1:171.5")


@pytest.mark.parametrize("answers", [[refused("missing_scope")], [OK], [TICKET, DOWN], [TICKET, OK, LIMITED]])
def test_no_page_is_lost_for_a_picture(answers):
    _, outcome = attempt(page("slack", options=CHART), POSTED, *answers)
    assert outcome == Delivered(reference="C1:171.5")


def test_a_page_that_is_not_delivered_or_has_no_history_has_no_picture():
    assert len(attempt(page("slack", options=CHART), DOWN)[0]) == 1
    for bare in (
        content(signals=()),
        content(signals=(msgspec.structs.replace(CONTENT.signals[0], history=()),)),
    ):
        assert len(attempt(page("slack", options=CHART, content=bare), POSTED)[0]) == 1


def test_a_second_attempt_finds_what_the_first_one_posted():
    again = page("slack", "C1", attempt=2)
    (look,), outcome = attempt(again, history("pag-1"))
    assert look.method == "GET"
    assert look.url == (
        API + "conversations.history?channel=C1&oldest=1771760370.000000&limit=100&include_all_metadata=true"
    )
    assert look.body == b""
    assert outcome == Delivered(reference="C1:171.5")


def test_a_late_attempt_looks_back_to_the_first_one_however_long_ago_that_was():
    late = page("slack", "C1", attempt=7, began=NOW - timedelta(hours=3))
    (look,), outcome = attempt(late, history("pag-1"))
    assert f"&oldest={(NOW - timedelta(hours=3, minutes=5)).timestamp():.6f}&" in look.url
    assert outcome == Delivered(reference="C1:171.5")


def test_a_second_attempt_posts_where_nothing_is_found():
    steps, outcome = attempt(page("slack", "C1", attempt=2), history("pag-another"), POSTED)
    assert len(steps) == 2
    assert outcome == Delivered(reference="C1:171.5")


def test_a_second_attempt_posts_where_slack_may_not_be_asked():
    _, outcome = attempt(page("slack", "C1", attempt=2), refused("missing_scope"), POSTED)
    assert outcome == Delivered(reference="C1:171.5")


@pytest.mark.parametrize("target", ["C1", "U01", "#triage"])
def test_a_second_attempt_waits_where_slack_cannot_answer_now(target):
    steps, outcome = attempt(page("slack", target, attempt=2), LIMITED)
    assert len(steps) == 1
    assert outcome.reason == "rate limited"
    assert (outcome.retry_at - NOW).total_seconds() == 30


def test_a_person_is_looked_up_in_their_own_conversation():
    opened = Answer(status=200, body=b'{"ok": true, "channel": {"id": "D9"}}')
    steps, outcome = attempt(page("slack", "U01", attempt=2), opened, history("pag-1"))
    assert body_of(steps[0]) == {"users": "U01"}
    assert "channel=D9" in steps[1].url
    assert outcome == Delivered(reference="D9:171.5")


def test_a_channel_is_looked_up_by_its_name_page_by_page():
    first = {
        "ok": True,
        "channels": [{"id": "C7", "name": "x"}],
        "response_metadata": {"next_cursor": "dé=="},
    }
    second = {"ok": True, "channels": [{"id": "C8", "name": "triage"}]}
    answers = [Answer(status=200, body=msgspec.json.encode(each)) for each in (first, second)]
    steps, outcome = attempt(page("slack", attempt=3), *answers, history("pag-1"))
    assert steps[1].url.endswith("&cursor=d%C3%A9%3D%3D")
    assert outcome == Delivered(reference="C8:171.5")


def test_a_name_that_slack_does_not_tell_is_posted_to():
    nowhere = Answer(status=200, body=b'{"ok": true, "channels": []}')
    assert len(attempt(page("slack", attempt=2), nowhere, POSTED)[0]) == 2
    endless = Answer(
        status=200, body=b'{"ok": true, "channels": [], "response_metadata": {"next_cursor": "x"}}'
    )
    assert len(attempt(page("slack", attempt=2), endless, endless, endless, POSTED)[0]) == 4
    assert len(attempt(page("slack", attempt=2), refused("missing_scope"), POSTED)[0]) == 2
    assert len(attempt(page("slack", "U1", attempt=2), refused("missing_scope"), POSTED)[0]) == 2


@pytest.mark.parametrize("error", ["ratelimited", "internal_error", "service_unavailable", "fatal_error"])
def test_slacks_own_trouble_is_tried_again(error):
    assert attempt(page("slack"), refused(error))[1] == Deferred(reason=f"Slack chat.postMessage: {error}")


@pytest.mark.parametrize(
    "error", ["channel_not_found", "invalid_auth", "not_in_channel", "is_archived", "odd"]
)
def test_a_refusal_in_a_200_is_final(error):
    assert attempt(page("slack"), refused(error))[1] == Undeliverable(
        reason=f"Slack chat.postMessage: {error}"
    )


def test_an_answer_that_is_no_object_is_final():
    said = "Slack chat.postMessage: HTTP 200 without an answer"
    assert attempt(page("slack"), Answer(status=200, body=b"<html>"))[1] == Undeliverable(reason=said)


def test_a_teams_own_words_are_a_section():
    message = page("slack")
    (call,), _ = attempt(message, POSTED, rendered=worded(message, f"look: {CONTENT.dashboard} & <b>"))
    assert body_of(call)["blocks"][1]["text"]["text"] == "look: <https://dash.example/retail> &amp; &lt;b&gt;"


def test_an_address_of_others_is_no_link():
    message = page(
        "slack", content=content(runbook="", dashboard="", signals=()), summary="go http://evil.example"
    )
    (call,), _ = attempt(message, POSTED)
    assert body_of(call)["blocks"][1]["text"] == {
        "type": "mrkdwn",
        "text": "*What*\ngo http://evil.example",
        "verbatim": True,
    }


def test_an_address_with_slacks_own_signs_stays_text():
    message = page("slack", content=content(runbook="https://x.example/a|b", dashboard="", signals=()))
    (call,), _ = attempt(message, POSTED)
    assert "*Runbook*\nhttps://x.example/a|b" in [
        block.get("text", {}).get("text") for block in body_of(call)["blocks"]
    ]


def test_an_empty_body_is_still_a_section():
    (call,), _ = attempt(page("slack"), POSTED, rendered=Rendered(title="t", body=""))
    assert body_of(call)["blocks"][1]["text"]["text"] == " "


def test_where_links_would_be_too_long_they_stay_text():
    fact = Fact("Runbook", " ".join([CONTENT.dashboard] * 95))
    (call,), _ = attempt(page("slack"), POSTED, rendered=Rendered(title="t", body="b", facts=(fact,)))
    assert len(body_of(call)["blocks"][1]["text"]["text"]) <= 3000


def test_a_title_that_is_too_long_is_cut_between_two_entities():
    (call,), _ = attempt(page("slack"), POSTED, rendered=Rendered(title="&" * 1000, body="b"))
    told = body_of(call)["text"].removeprefix("🔴 ")
    assert told == "&amp;" * (3997 // 5) + "…"


@given(st.text(alphabet="&<>a", max_size=9).map(lambda text: 500 * text))
def test_text_is_cut_within_slacks_limit_and_never_inside_an_entity(text):
    (call,), _ = attempt(page("slack"), POSTED, rendered=Rendered(title="t", body=text))
    told = body_of(call)["blocks"][1]["text"]["text"]
    assert len(told) <= 3000
    whole = told.removesuffix("…")
    assert escaped(whole.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) == whole


@given(st.text(max_size=3000), st.dictionaries(st.text(max_size=200), st.text(max_size=200), max_size=40))
def test_whatever_others_write_the_blocks_stay_within_slacks_limits(text, labels):
    signal = msgspec.structs.replace(CONTENT.signals[0], summary=text, changes=(text,) * 9, unit=text)
    told = content(
        title=text, labels=labels, signals=(signal,) * 9, related=(text,) * 9, runbook=text, team=text
    )
    (call,), _ = attempt(page("slack", to=text, content=told), POSTED)
    said = body_of(call)
    assert len(said["blocks"]) <= 50
    assert len(said["blocks"][0]["text"]["text"]) <= 150
    for block in said["blocks"]:
        if block["type"] == "section":
            assert 0 < len(block["text"]["text"]) <= 3000
            assert "<!" not in block["text"]["text"]
    assert len(said["text"]) <= 4000
