"""Channels and templates on a bad day: no page is lost, none is sent to anybody twice.

The router's time is virtual; channels are real servers on loopback, reached by the real courier.
"""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from routing.router import Router
from schemas.cause import Acknowledged, AnyCause, ConfigFile, Configured, Reported, Signalled, Wake
from schemas.outcome import Delivered
from schemas.page import Page, Update
from schemas.record import Record
from schemas.signal import Signal
from schemas.wire import decode_message, encode, moment
from streams.delivering.delivery import Courier
from streams.delivering.rendering import Renderer
from streams.delivering.secrets import environment
from tests.fakes_http import BOT, PagerDuty, Sink, Slack

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ALWAYS = 10_000
PEOPLE = """
route: {receiver: people, group_by: [agent], group_wait: 0s, group_interval: 2m, repeat_interval: 12h}
receivers: [{name: people, notify: [{escalation: payments}]}]
agents: [{name: '*', team: payments}]
severity: {base: {error_rate: 70}}
users: {ana: {slack: U01, pagerduty: 'env:PD'}}
teams: {payments: {escalation: payments}}
escalations: {payments: {steps: [{notify: [user: ana], via: [VIA], wait: 2h}]}}
"""
WORDED = """
route: {receiver: hook, group_by: [agent], group_wait: 0s}
receivers: [{name: hook, notify: [{webhook: 'env:HOOK', template: own}]}]
messages: {own: "TEMPLATE"}
"""
LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


class Pager:
    """A router on virtual time, and a courier that does at once what it asks for."""

    def __init__(self, courier: Courier, config: str) -> None:
        self.courier = courier
        self.router = Router()
        self.now = START
        self.offset = 0
        self.attempts: list[tuple[Page | Update, object]] = []
        self.first = Configured(at=START, digest="d", files=(ConfigFile("rules.yaml", config),))

    async def write(self, cause: AnyCause) -> None:
        """Appends a cause; what comes out is attempted, and the outcome appended in its turn."""
        waiting = deque([cause])
        while waiting:
            outputs = self.router.apply(Record(self.offset, encode(waiting.popleft())))
            self.offset += 1
            for message in (each.value for each in outputs if isinstance(each.value, Page | Update)):
                outcome = await self.courier.attempt(decode_message(encode(message)), self.now)
                self.attempts.append((message, outcome))
                attempt = {"page": message.id, "attempt": message.attempt}
                waiting.append(Reported(at=self.now, outcome=outcome, **attempt))

    async def until(self, end: datetime) -> None:
        """Time passes as far as `end`: the router is woken when it asks to be."""
        while True:
            due = self.router.wake_at
            if due is None or moment(due) > end:
                break
            self.now = max(self.now, moment(due))
            await self.write(Wake(at=self.now))
        self.now = end

    async def fails(self, state: str = "firing") -> None:
        signal = Signal(
            id="sig-1",
            detector="error_rate",
            finding="sessions",
            state=state,  # type: ignore[arg-type] # one of the words
            labels={"agent": "refund", "detector": "error_rate", "finding": "sessions"},
            time=self.now,
            onset=START,
            summary="sessions fail",
        )
        await self.write(Signalled(at=self.now, signal=signal))

    async def incident_lasts(self, span: timedelta) -> None:
        """The finding holds and is asserted each minute, and ends."""
        await self.fails()
        while self.now < START + span:
            await self.until(self.now + MINUTE)
            await self.fails()
        await self.fails("resolved")
        await self.until(self.now + 30 * MINUTE)

    def tries(self, kind: str) -> list[tuple[str, int]]:
        """Pages, with the number of the attempt, over a kind of channel."""
        pages = [each for each, _ in self.attempts if isinstance(each, Page)]
        return [(each.id, each.attempt) for each in pages if each.channel.kind == kind]

    def delivered(self, kind: str) -> list[str]:
        known = [(each, outcome) for each, outcome in self.attempts if isinstance(each, Page)]
        return [each.id for each, how in known if isinstance(how, Delivered) and each.channel.kind == kind]


@asynccontextmanager
async def paging(
    config: str, deadline: timedelta = timedelta(seconds=1), **servers: Sink
) -> AsyncIterator[Pager]:
    """A pager whose channels are these servers."""
    async with AsyncExitStack() as stack:
        for server in servers.values():
            await stack.enter_async_context(server.running())
        names = {"slack": "SLACK_API_URL", "pagerduty": "PAGERDUTY_EVENTS_URL", "hook": "HOOK"}
        known = {names[each]: server.url for each, server in servers.items()}
        variables = {"SLACK_BOT_TOKEN": BOT, "PD": PagerDuty.routing_key, **known}
        client = httpx.AsyncClient(trust_env=False, timeout=10)
        courier = Courier(environment(variables), lambda _: None, renderer=Renderer(deadline), client=client)
        stack.push_async_callback(courier.close)
        pager = Pager(courier, config)
        await pager.write(pager.first)
        yield pager


class Away(Slack):
    """Slack that answers 500 while it is away."""

    def __init__(self) -> None:
        super().__init__()
        self.schedule = [500] * ALWAYS

    def returns(self) -> None:
        self.schedule.clear()


async def test_slack_down_for_ten_minutes_falls_through_to_pagerduty_which_pages_once():
    slack, pagerduty = Away(), PagerDuty()
    async with paging(PEOPLE.replace("VIA", "slack, pagerduty"), slack=slack, pagerduty=pagerduty) as pager:
        await pager.fails()
        await pager.until(START + 10 * MINUTE)
        slack.returns()
        await pager.incident_lasts(20 * MINUTE)
        tried = pager.tries("slack")
        assert [number for _, number in tried] == [1, 2, 3, 4]
        assert len({name for name, _ in tried}) == 1
        assert slack.messages == []
        assert len(pager.delivered("pagerduty")) == 1
        (alert,) = pagerduty.alerts.values()
        assert alert == "resolved"
        assert len([each for each in pagerduty.bodies if each["event_action"] == "trigger"]) == 1


async def test_slack_down_for_ten_minutes_with_nothing_beside_it_pages_once_when_it_is_back():
    slack = Away()
    async with paging(PEOPLE.replace("VIA", "slack"), slack=slack) as pager:
        await pager.fails()
        await pager.until(START + 10 * MINUTE)
        assert pager.delivered("slack") == []
        slack.returns()
        await pager.incident_lasts(30 * MINUTE)
        tried = pager.tries("slack")
        assert [number for _, number in tried] == list(range(1, len(tried) + 1))
        assert len({name for name, _ in tried}) == 1
        assert pager.delivered("slack") == [tried[0][0]]
        assert len(slack.top) == 1
        assert slack.top[0]["text"].startswith("✅ RESOLVED")


async def test_a_webhook_that_refuses_for_ever_gives_way_to_pagerduty_at_once_and_is_known_for_it():
    hook, pagerduty = Sink(), PagerDuty()
    hook.schedule = [404] * ALWAYS
    config = PEOPLE.replace("slack: U01", "webhook: 'env:HOOK'").replace("VIA", "webhook, pagerduty")
    async with paging(config, hook=hook, pagerduty=pagerduty) as pager:
        await pager.fails()
        assert [number for _, number in pager.tries("webhook")] == [1]
        assert len(pager.delivered("pagerduty")) == 1
        await pager.incident_lasts(25 * HOUR)
        assert {number for _, number in pager.tries("webhook")} == {1}
        assert len(pager.tries("webhook")) == len(pager.delivered("pagerduty")) == 2
        (refusal,) = pager.router.refusing(pager.now).values()
        assert (refusal.kind, refusal.to, refusal.reason) == ("webhook", "ana", "HTTP 404")


async def test_an_acknowledgement_while_slack_is_down_ends_the_attempts():
    slack = Away()
    async with paging(PEOPLE.replace("VIA", "slack"), slack=slack) as pager:
        await pager.fails()
        await pager.until(START + MINUTE)
        incident = pager.attempts[0][0].incident
        await pager.write(Acknowledged(at=pager.now, id="a", incident=incident, by="ana"))
        before = len(pager.attempts)
        await pager.until(START + 10 * MINUTE)
        assert len(pager.attempts) == before


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        (LOOP, "no answer within 0.5 s"),
        ("{{ labels.__class__ }}", ""),
        ("{{ 'x' * 10**9 }}", ""),
    ],
    ids=["raises", "loops", "peeks", "grows"],
)
async def test_a_template_that_fails_pages_in_built_in_words_and_says_why(template, why):
    config, hook = WORDED.replace("TEMPLATE", template), Sink()
    async with paging(config, SECOND / 2, hook=hook) as pager:
        await pager.fails()
        (body,) = hook.bodies
        text = body["rendered"]["body"]
        assert "score 40 of 100: error_rate +40" in text
        assert "the team's message template failed: " + why in text
        assert len(pager.delivered("webhook")) == 1
