import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import ClassVar

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from routing.notifiers.notifier import Call
from routing.notifiers.registry import discover
from schemas.outcome import Deferred, Delivered, Undeliverable
from streams.delivering.delivery import LONGEST_ANSWER, LONGEST_WORDS, Courier
from streams.delivering.secrets import environment
from tests.fakes import BODY, NOW, content, page, update
from tests.fakes_http import BOT, Cut, Opsgenie, PagerDuty, Refusal, Sink, Slack, Teams, Timeout, TooMany

PATIENT = timedelta(minutes=1)
SHORT = timedelta(milliseconds=300)
SIGNING = "whsec-of-the-hook"


@asynccontextmanager
async def courier(bound=timedelta(seconds=10), show=None, **variables: str):
    client = httpx.AsyncClient(trust_env=False, timeout=30)
    known = {
        "SLACK_BOT_TOKEN": BOT,
        "PD": PagerDuty.routing_key,
        "SIGNING": SIGNING,
        "OG": Opsgenie.key,
    } | variables
    one = Courier(environment(known), show or (lambda _: None), client=client, bound=bound)
    try:
        yield one
    finally:
        await one.close()


def to_slack(server: Slack, target: str = "#triage", **changes):
    return page("slack", target, options={"url": server.url}, **changes)


def to_pagerduty(server: PagerDuty, **changes):
    return page("pagerduty", "env:PD", options={"url": server.url}, **changes)


async def retried(one: Courier, message, attempts: int):
    """As the router retries: the same page, one attempt after the other, until one is not deferred."""
    outcomes = []
    for attempt in range(1, attempts + 1):
        outcomes.append(await one.attempt(msgspec.structs.replace(message, attempt=attempt), NOW))
        if not isinstance(outcomes[-1], Deferred):
            break
    return outcomes


async def test_a_page_reaches_slack_and_is_edited_from_then_on():
    async with Slack().running() as slack, courier() as one:
        message = to_slack(slack)
        delivered = await one.attempt(message, NOW)
        assert delivered.reference.startswith("C0TRIAGE:")
        for reason in ("acknowledged", "resolved"):
            told = update(message, reason, reference=delivered.reference, id=f"upd-{reason}")
            assert await one.attempt(told, NOW) == delivered
        assert len(slack.top) == 1
        assert slack.top[0]["text"].startswith("✅ RESOLVED")
        assert [reply["text"][:10] for reply in slack.messages[1:]] == ["✅ RESOLVED"]
        assert slack.methods == ["chat.postMessage", "chat.update", "chat.update", "chat.postMessage"]


async def test_the_chart_is_put_into_the_thread_once_and_holds_up_no_page():
    async with Slack().running() as slack, courier() as one:
        message = page("slack", options={"url": slack.url, "chart": "thread"})
        delivered = await one.attempt(message, NOW)
        assert await one.attempt(msgspec.structs.replace(message, attempt=2), NOW) == delivered
        ((_, picture),) = slack.files.items()
        assert picture.startswith(b"\x89PNG")
        (top,) = slack.top
        assert [reply["thread_ts"] for reply in slack.messages[1:]] == [top["ts"]]
    for trouble in (500, Refusal("missing_scope")):
        async with Slack([200, trouble]).running() as slack, courier() as one:
            message = page("slack", options={"url": slack.url, "chart": "thread"})
            assert isinstance(await one.attempt(message, NOW), Delivered)
            assert slack.files == {}


async def test_slack_down_for_ten_minutes_gets_one_message():
    async with Slack([500] * 20).running() as slack, courier() as one:
        outcomes = await retried(one, to_slack(slack, "C0TRIAGE"), 30)
        assert outcomes[:-1] == [Deferred(reason="HTTP 500")] * 20
        assert isinstance(outcomes[-1], Delivered)
        assert len(slack.messages) == 1


async def test_a_message_that_got_through_unseen_is_not_sent_again():
    async with Slack([Cut()]).running() as slack, courier() as one:
        outcomes = await retried(one, to_slack(slack), 3)
        assert outcomes[0] == Deferred(reason="RemoteProtocolError")
        assert outcomes[1] == Delivered(reference=f"C0TRIAGE:{slack.messages[0]['ts']}")
        assert len(slack.messages) == 1


async def test_a_person_is_paged_and_found_again():
    async with Slack([Cut()]).running() as slack, courier() as one:
        outcomes = await retried(one, to_slack(slack, "U01"), 3)
        assert outcomes[-1] == Delivered(reference=f"DU01:{slack.messages[0]['ts']}")
        assert len(slack.messages) == 1


async def test_a_resolution_cut_off_after_the_reply_replies_once():
    async with Slack([200, 200, Cut()]).running() as slack, courier() as one:
        message = to_slack(slack)
        delivered = await one.attempt(message, NOW)
        outcomes = await retried(one, update(message, reference=delivered.reference), 3)
        assert outcomes == [Deferred(reason="RemoteProtocolError"), delivered]
        assert len(slack.messages) == 2


async def test_slacks_rate_limit_says_when():
    async with Slack([TooMany(30)]).running() as slack, courier() as one:
        outcome = await one.attempt(to_slack(slack), NOW)
        assert outcome == Deferred(reason="rate limited", retry_at=NOW + timedelta(seconds=30))


@pytest.mark.parametrize(
    ("error", "kind"),
    [("internal_error", Deferred), ("not_in_channel", Undeliverable), ("account_inactive", Undeliverable)],
)
async def test_slacks_200_with_an_error_is_no_delivery(error, kind):
    async with Slack([Refusal(error)]).running() as slack, courier() as one:
        assert await one.attempt(to_slack(slack), NOW) == kind(reason=f"Slack chat.postMessage: {error}")


async def test_a_wrong_token_and_an_unknown_channel_are_final():
    async with Slack().running() as slack, courier() as one:
        unknown = await one.attempt(to_slack(slack, "#nowhere"), NOW)
        assert unknown == Undeliverable(reason="Slack chat.postMessage: channel_not_found")
    async with Slack(token="another").running() as slack, courier() as one:  # noqa: S106 - not the right one
        wrong = await one.attempt(to_slack(slack), NOW)
        assert wrong == Undeliverable(reason="Slack chat.postMessage: invalid_auth")


async def test_pagerduty_has_one_alert_for_an_incident_through_its_life():
    async with PagerDuty([500, Timeout()]).running() as pagerduty, courier(SHORT) as one:
        message = to_pagerduty(pagerduty)
        outcomes = await retried(one, message, 5)
        assert outcomes == [
            Deferred(reason="HTTP 500"),
            Deferred(reason="timed out"),
            Delivered(reference="inc-1"),
        ]
        assert pagerduty.alerts == {"inc-1": "triggered"}
        for reason, state in (("acknowledged", "acknowledged"), ("resolved", "resolved")):
            await one.attempt(update(message, reason, reference="inc-1"), NOW)
            assert pagerduty.alerts == {"inc-1": state}


@pytest.mark.parametrize("server", [PagerDuty, Opsgenie])
async def test_a_page_that_was_taken_is_delivered_though_closing_the_alert_before_it_hangs(server):
    async with server([200, Timeout()]).running() as service, courier(timedelta(seconds=1)) as one:
        kind, target = ("pagerduty", "env:PD") if server is PagerDuty else ("opsgenie", "env:OG")
        own = {"alert": "inc-1.page-2", "replaces": "inc-1"}
        message = page(kind, target, options={"url": service.url}, **own)
        assert await one.attempt(message, NOW) == Delivered(reference="inc-1.page-2")
        assert len(service.received) == 2


async def test_pagerdutys_refusal_is_final_and_its_rate_limit_is_not():
    async with PagerDuty([TooMany(5), 400]).running() as pagerduty, courier() as one:
        limited = await one.attempt(to_pagerduty(pagerduty), NOW)
        assert limited == Deferred(reason="rate limited", retry_at=NOW + timedelta(seconds=5))
        assert await one.attempt(to_pagerduty(pagerduty), NOW) == Undeliverable(reason="HTTP 400")


async def test_a_page_and_its_resolution_are_cards_in_teams_and_a_mere_update_is_none():
    async with Teams([503]).running() as teams, courier() as one:
        message = page("teams", teams.url)
        assert await retried(one, message, 3) == [Deferred(reason="HTTP 503"), Delivered(reference="pag-1")]
        for reason in ("updated", "acknowledged", "resolved"):
            outcome = await one.attempt(update(message, reason, reference="pag-1"), NOW)
            assert outcome == Delivered(reference="upd-1")
        assert [card["fallbackText"].split(":")[0] for card in teams.cards] == [
            "CRITICAL",
            "ACKNOWLEDGED",
            "RESOLVED",
        ]


async def test_opsgenie_has_one_alert_for_an_incident_through_its_life():
    async with Opsgenie([Cut(), 500]).running() as opsgenie, courier() as one:
        message = page("opsgenie", "env:OG", options={"url": opsgenie.url})
        outcomes = await retried(one, message, 5)
        assert outcomes == [
            Deferred(reason="RemoteProtocolError"),
            Deferred(reason="HTTP 500"),
            Delivered(reference="inc-1"),
        ]
        (alert,) = opsgenie.alerts.values()
        assert (alert["count"], alert["status"], alert["priority"]) == (2, "open", "P1")
        for reason, state in (("updated", "open"), ("acknowledged", "acknowledged"), ("resolved", "closed")):
            told = update(message, reason, reference="inc-1", severity="error")
            assert await one.attempt(told, NOW) == Delivered(reference="inc-1")
            assert opsgenie.alerts["inc-1"]["status"] == state
        assert opsgenie.alerts["inc-1"]["priority"] == "P2"


async def test_opsgenie_refuses_a_wrong_key_for_good():
    async with Opsgenie().running() as opsgenie, courier(OG="another-key") as one:
        message = page("opsgenie", "env:OG", options={"url": opsgenie.url})
        assert await one.attempt(message, NOW) == Undeliverable(reason="HTTP 401 Could not authenticate")


async def test_a_webhook_follows_its_schedule():
    async with Sink([500, Timeout(), TooMany(3), 200, 404]).running() as sink, courier(SHORT) as one:
        message = page("webhook", sink.url, options={"secret": "env:SIGNING"})
        outcomes = [await one.attempt(message, NOW) for _ in range(5)]
        assert outcomes == [
            Deferred(reason="HTTP 500"),
            Deferred(reason="timed out"),
            Deferred(reason="rate limited", retry_at=NOW + timedelta(seconds=3)),
            Delivered(reference="pag-1"),
            Undeliverable(reason="HTTP 404"),
        ]
        assert {each.headers["idempotency-key"] for each in sink.received} == {"pag-1"}
        assert sink.bodies[0]["rendered"]["body"] == BODY


async def test_a_refused_connection_is_tried_again():
    async with Sink().running() as sink:
        gone = sink.url
    async with courier() as one:
        assert await one.attempt(page("webhook", gone), NOW) == Deferred(reason="cannot connect")


async def test_a_slow_channel_does_not_hold_up_another():
    async with Sink([Timeout()] * 20).running() as dead, Sink().running() as well, courier(PATIENT) as one:
        waiting = [asyncio.create_task(one.attempt(page("webhook", dead.url), NOW)) for _ in range(20)]
        assert isinstance(await one.attempt(page("webhook", well.url), NOW), Delivered)
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_redirect_is_not_followed():
    async with Sink([302]).running() as sink, courier() as one:
        assert await one.attempt(page("webhook", sink.url), NOW) == Undeliverable(reason="HTTP 302")


async def test_the_terminal_is_shown_the_page():
    shown = []
    async with courier(show=shown.append) as one:
        assert isinstance(await one.attempt(page("terminal"), NOW), Delivered)
    assert "retail: 35 of 35 sessions fail" in shown[0]


async def test_a_teams_template_words_the_page():
    async with Sink().running() as sink, courier() as one:
        message = page("webhook", sink.url, content=content(template="{{ labels.agent }} is ill"))
        await one.attempt(message, NOW)
        assert sink.bodies[0]["rendered"]["body"] == "retail is ill"


async def test_an_unknown_channel_is_final():
    async with courier() as one:
        outcome = await one.attempt(page("pigeon"), NOW)
        known = ", ".join(sorted(discover()))
        assert outcome == Undeliverable(reason=f"unknown channel 'pigeon', known are {known}")
        assert one.kinds == frozenset(discover())


async def test_a_missing_variable_is_named():
    async with courier() as one:
        outcome = await one.attempt(page("webhook", "env:PAY_HOOK"), NOW)
        assert outcome == Undeliverable(reason="the variable PAY_HOOK is not set")


class Faulty:
    """A notifier with a bug: it raises, or returns something else, as its target says."""

    kind: ClassVar[str] = "faulty"

    def deliver(self, message, rendered, secrets, now):
        del rendered, now
        token = secrets("env:SIGNING")
        if message.channel.target == "raise":
            raise RuntimeError(f"with {token}")
        if message.channel.target == "return":
            return token
        yield Call(method="GET", url=message.channel.target.format(token=token))
        return Undeliverable(reason=f"with {token}")


class Wordy:
    """A notifier that says too much, as its target says."""

    kind: ClassVar[str] = "wordy"

    def deliver(self, message, rendered, secrets, now):
        del rendered, secrets, now
        yield from ()
        words = "x" * 10_000
        return Delivered(reference=words) if message.channel.target == "well" else Deferred(reason=words)


@pytest.mark.parametrize(
    ("target", "outcome"),
    [("well", Delivered()), ("badly", Deferred(reason="x" * LONGEST_WORDS))],
)
async def test_what_a_channel_says_is_cut_to_what_the_log_surely_takes(target, outcome):
    one = Courier(environment({}), print, notifiers={"wordy": Wordy})
    assert await one.attempt(page("wordy", target), NOW) == outcome
    await one.close()


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("raise", "RuntimeError"),
        ("return", "TypeError"),
        ("{token}://x", "UnsupportedProtocol"),
        ("http://host:{token}/", "InvalidURL"),
    ],
)
async def test_a_notifiers_bug_is_told_by_its_class_alone(target, error, caplog):
    one = Courier(environment({"SIGNING": SIGNING}), print, notifiers={"faulty": Faulty})
    with capture_logs() as logs, caplog.at_level(logging.DEBUG):
        outcome = await one.attempt(page("faulty", target), NOW)
    await one.close()
    assert outcome == Undeliverable(reason=f"faulty: {error}")
    assert SIGNING not in str(logs) + caplog.text


async def test_no_secret_is_logged_or_told_whatever_happens(caplog):
    steps = [200, 400, 500, Refusal("invalid_auth"), Timeout(), Cut()]
    outcomes = []
    with capture_logs() as logs, caplog.at_level(logging.DEBUG):
        async with Sink(steps * 5).running() as sink:
            address = f"{sink.url}?key=HOOK-SECRET"
            async with courier(SHORT, HOOK=address) as one:
                hook = page("webhook", "env:HOOK", options={"secret": "env:SIGNING"})
                pager = page("pagerduty", "env:PD", options={"url": "env:HOOK"})
                chat = page("slack", options={"url": "env:HOOK"})
                room = page("teams", "env:HOOK")
                alert = page("opsgenie", "env:OG", options={"url": "env:HOOK"})
                every = (hook, pager, chat, room, alert)
                outcomes = [await one.attempt(message, NOW) for message in every for _ in steps]
        assert len(sink.received) == len(every) * len(steps)
        outcomes.append(await one.attempt(hook, NOW))
    told = str(outcomes) + str(logs) + caplog.text + repr(one)
    assert len(logs) >= len(outcomes)
    for secret in ("HOOK-SECRET", SIGNING, BOT, PagerDuty.routing_key, Opsgenie.key):
        assert secret not in told


async def test_a_refusal_that_repeats_the_key_is_blotted_out():
    async with PagerDuty().running() as pagerduty, courier(PD="WRONG-KEY") as one:
        outcome = await one.attempt(to_pagerduty(pagerduty), NOW)
        assert outcome == Undeliverable(
            reason="HTTP 400 Event object is invalid; 'routing_key' is invalid: [hidden]"
        )


class Flood(Sink):
    """Answers more than anyone wants to read."""

    def accept(self, received):
        from aiohttp import web  # noqa: PLC0415 - only here

        del received
        return web.Response(body=b"x" * (LONGEST_ANSWER + 2**20))


async def test_an_endless_answer_is_not_read_to_its_end():
    async with Flood().running() as flood, courier() as one:
        assert isinstance(await one.attempt(page("webhook", flood.url), NOW), Delivered)


async def test_what_makes_no_sense_in_http_is_tried_again():
    async def nonsense(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, courier() as one:
        outcome = await one.attempt(page("webhook", f"http://127.0.0.1:{port}/"), NOW)
    assert outcome == Deferred(reason="DecodingError")


async def test_a_channel_that_times_out_by_itself_is_tried_again():
    client = httpx.AsyncClient(trust_env=False, timeout=0.2)
    one = Courier(environment({}), print, client=client)
    async with Sink([Timeout()]).running() as sink:
        assert await one.attempt(page("webhook", sink.url), NOW) == Deferred(reason="no answer in time")
    await one.close()
