"""Events that are read late are told to routing, which pages once, whoever owns the partition meanwhile."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from routing.router import Router
from schemas.cause import ConfigFile, Configured, Reported, Wake
from schemas.outcome import Delivered
from schemas.page import Page, Update
from schemas.wire import decode_cause, encode
from streams.cli.worker import HELP
from streams.hosting.log import Outgoing
from streams.hosting.topics import CAUSES, EVENTS
from streams.watching.behind import Behind
from streams.watching.figures import Figures, exposition
from streams.watching.waiting import Limits
from tests.memory_log import Act, Disk, MemoryLog
from tests.simulation.owners import HandClock
from tests.streams.test_health import FakeHost

LIMITS = Limits()
SESSION = timedelta(seconds=10)
RULES = """
route: {receiver: everybody, group_by: [agent, detector], group_wait: 10s, group_interval: 2m,
        routes: [{receiver: owners, matchers: ['severity=~"critical|error"'], group_wait: 0s}]}
receivers:
- {name: everybody, notify: [{slack: '#agents'}]}
- {name: owners, notify: [{escalation: '{{ labels.team }}'}]}
agents:
- {name: agent-oversight, team: platform}
- {name: '*', team: shop}
users: {ana: {slack: U01}, bo: {slack: U02}}
teams: {platform: {escalation: platform}, shop: {escalation: shop}}
escalations:
  platform: {steps: [{notify: [user: ana], via: [slack], wait: 1h}], exhausted: {receiver: everybody}}
  shop: {steps: [{notify: [user: bo], via: [slack], wait: 1h}], exhausted: {receiver: everybody}}
"""


class Site:
    """A log of causes with its router, and workers that follow each other on partition 3 of the events."""

    def __init__(self, limits: Limits = LIMITS, rules: str = RULES) -> None:
        self.limits = limits
        self.disk, self.clock, self.figures = Disk(), HandClock(), Figures()
        self.log = MemoryLog(self.disk)
        files = (ConfigFile("oversight.yml", rules),)
        config = Configured(at=self.clock.now(), digest="d", files=files)
        self.disk.put(CAUSES, 0, [Outgoing(b"config", encode(config))])
        self.router, self.read, self.sent = Router(), 0, []
        self.begins()

    def begins(self, newest_age_s: float | None = 0.0) -> None:
        """Another worker has the partition, and takes a record of that age; None: it took none."""
        self.host = FakeHost(EVENTS, {3: SimpleNamespace(newest_s=None)}, reached={3: 0}, lag={3: 0})
        if newest_age_s is not None:
            self.host.partitions[3].newest_s = self.clock.at_s - newest_age_s
        self.behind = Behind(
            self.log, self.clock, self.host, limits=self.limits, session=SESSION, figures=self.figures
        )

    async def go(self, span: timedelta, lag: int = 0) -> None:
        """So long so many records wait before the worker, of which it takes none."""
        for _ in range(int(span.total_seconds()) // 5):
            self.clock.at_s += 5
            self.host.how["lag"] = {3: lag}
            await self.behind.look()
            self.route()

    async def until(self, said: list, events: int) -> None:
        """The watch runs by itself until so much was said in the log."""
        self.clock.at_s += 5
        task = asyncio.create_task(self.behind.run())
        while len(said) < events:  # noqa: ASYNC110 - said in the task
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self.route()

    def route(self) -> None:
        """The router is woken and takes what is there; every page and edit arrives."""
        self.disk.put(CAUSES, 0, [Outgoing(None, encode(Wake(at=self.clock.now())))])
        while self.read < len(self.disk.records(CAUSES)):
            outputs = self.router.apply(self.disk.records(CAUSES)[self.read])
            self.read += 1
            for each in outputs:
                if isinstance(each.value, Page | Update):
                    self._arrives(each.value)

    def _arrives(self, message: Page | Update) -> None:
        self.sent.append(message)
        outcome = Delivered(reference="r")
        cause = Reported(at=self.clock.now(), page=message.id, attempt=message.attempt, outcome=outcome)
        self.disk.put(CAUSES, 0, [Outgoing(None, encode(cause))])

    @property
    def signals(self) -> list:
        causes = (decode_cause(each.value) for each in self.disk.records(CAUSES))
        return [each.signal for each in causes if hasattr(each, "signal")]

    @property
    def told(self) -> list[str]:
        return [each.state for each in self.signals]

    @property
    def paged(self) -> list[str]:
        return [each.channel.target for each in self.sent if isinstance(each, Page)]


HASTY = Limits(late=timedelta(milliseconds=4), lasting=timedelta(milliseconds=4))
LATE = LIMITS.late + LIMITS.lasting + timedelta(seconds=15)
"""By then somebody is told."""


async def test_who_is_behind_is_told_with_its_place_its_wait_and_what_to_do_and_the_owner_is_paged_once():
    t = Site()
    await t.go(LATE, lag=48_213)
    (signal,) = t.signals
    assert signal.labels == {
        "agent": "agent-oversight",
        "detector": "telemetry",
        "finding": "behind",
        "partition": "agent.events/3",
    }
    assert signal.summary == (
        "agent.events/3 is read 7 minutes late or more, and 48,213 records wait: pages come late"
    )
    assert (signal.observed, signal.baseline, signal.unit) == (425.0, 120.0, "s")
    assert (signal.time - signal.onset).total_seconds() == signal.observed
    await t.go(timedelta(minutes=50), lag=48_213)
    assert t.paged == ["U01"]
    (page,) = [each for each in t.sent if isinstance(each, Page)]
    assert page.severity in {"error", "critical"}
    assert page.content.next_step.startswith("Add workers")


async def test_it_is_asserted_each_minute_keeps_its_onset_and_grows_and_is_over_once():
    t = Site()
    await t.go(LATE + timedelta(minutes=20), lag=9)
    assert len({(each.id, each.onset) for each in t.signals}) == 1
    assert len(t.signals) == 21
    assert t.signals[-1].trend == "rising"
    assert t.signals[-1].history == tuple(425.0 + 60 * n for n in range(21))
    await t.go(timedelta(minutes=20))
    assert t.told[21:] == ["resolved"]
    assert (t.signals[-1].reason, t.signals[-1].summary) == (
        "recovered",
        "agent.events/3 is read in time again",
    )
    assert t.sent[-1].reason == "resolved"
    assert 'oversight_signals_total{detector="telemetry",state="firing"} 21' in exposition(
        t.figures.samples()
    )


async def test_who_keeps_up_or_begins_with_what_waited_a_while_writes_nothing():
    t = Site()
    t.begins(newest_age_s=100.0)
    await t.go(timedelta(minutes=4), lag=1000)
    await t.go(timedelta(hours=1))
    assert t.signals == []


async def test_owners_that_follow_each_other_page_once_and_the_last_says_that_it_is_over():
    t = Site()
    for _ in range(4):
        t.begins(newest_age_s=1000.0)
        await t.go(LATE + timedelta(minutes=3), lag=1000)
    assert len({each.id for each in t.signals}) == 1
    assert t.paged == ["U01"]
    t.begins(newest_age_s=1000.0)
    await t.go(timedelta(seconds=30), lag=1000)
    await t.go(timedelta(minutes=5))
    assert t.told[-1] == "resolved"
    assert [each.reason for each in t.sent if isinstance(each, Update)][-1] == "resolved"
    assert t.paged == ["U01"]


HASTILY_OVER = f"global: {{resolve_timeout: 3m}}\n{RULES}"


@pytest.mark.parametrize("newest_age_s", [1000.0, None])
@pytest.mark.parametrize("reign", [timedelta(minutes=2), LATE + timedelta(minutes=3)])
async def test_however_soon_what_is_not_asserted_goes_stale_a_handover_pages_nobody_again(
    newest_age_s, reign
):
    t = Site(rules=HASTILY_OVER)
    await t.go(LATE + timedelta(minutes=1), lag=1000)
    for _ in range(4):
        t.clock.at_s += 15
        t.begins(newest_age_s)
        await t.go(reign, lag=1000)
    assert t.paged == ["U01"]
    assert {each.reason for each in t.sent} <= {"opened", "updated", "repeated"}
    t.host.partitions[3].newest_s = t.clock.at_s - 600
    await t.go(timedelta(minutes=5))
    assert (t.told[-1], t.sent[-1].reason, t.paged) == ("resolved", "resolved", ["U01"])


async def test_that_it_is_over_of_which_nobody_was_told_is_passed_over_by_routing():
    t = Site()
    t.begins(newest_age_s=1000.0)
    await t.go(timedelta(minutes=5))
    t.route()
    assert t.told == ["resolved"]
    assert t.sent == []
    assert t.router.counts == {"resolutions of unknown signals": 1}


async def test_an_owner_that_is_gone_and_leaves_no_heir_goes_stale():
    t = Site()
    await t.go(LATE, lag=1000)
    t.host.how |= {"owned": [], "reached": {}, "confirmed_age_s": None}
    await t.go(timedelta(minutes=30))
    assert t.told == ["firing"]
    assert t.sent[-1].reason == "resolved"
    assert {each.reason for each in t.sent[-1].content.signals} == {"stale"}


async def test_a_partition_that_was_another_workers_meanwhile_is_looked_at_anew():
    t = Site()
    await t.go(LATE, lag=1000)
    t.host.how["owned"] = []
    t.host.how["reached"] = {}
    t.host.how["lag"] = {}
    await t.behind.look()
    t.host.how |= {"owned": [3], "reached": {3: 0}}
    t.host.partitions[3].newest_s = t.clock.at_s
    await t.go(timedelta(minutes=5), lag=1000)
    assert t.told == ["firing"]


async def test_a_worker_that_stood_still_says_nothing_until_the_group_confirms_what_it_owns():
    t = Site()
    await t.go(LATE, lag=1000)
    t.host.how["confirmed_age_s"] = SESSION.total_seconds()
    await t.go(timedelta(minutes=5), lag=1000)
    assert t.told == ["firing"]
    t.host.how["confirmed_age_s"] = 1.0
    await t.go(timedelta(seconds=5), lag=1000)
    assert t.told == ["firing", "firing"]


@pytest.mark.parametrize("act", [Act.FAIL, Act.FAIL_WRITTEN, Act.REFUSE])
async def test_what_the_log_does_not_take_is_told_at_the_next_look_and_pages_once(act):
    t = Site(HASTY)
    await t.go(timedelta(seconds=10), lag=1000)
    t.log.acts.append(act)
    with capture_logs() as said:
        await t.until(said, events=2)
    assert [each["event"] for each in said] == ["behind.not_told", "behind.told"]
    assert t.paged == ["U01"]


async def test_a_look_that_fails_is_said_and_the_next_one_is_taken():
    t = Site(HASTY)
    await t.go(timedelta(seconds=10), lag=1000)
    lag = t.host.how.pop("lag")
    with capture_logs() as said:
        await t.until(said, events=1)
        t.host.how["lag"] = lag
        await t.until(said, events=len(said) + 1)
    events = [each["event"] for each in said]
    assert set(events[:-1]) == {"behind.look_failed"}
    assert events[-1] == "behind.told"


def test_the_worker_tells_of_the_limits_as_they_are():
    assert f"({LIMITS.late.seconds}), for so long ({LIMITS.lasting.seconds})" in " ".join(HELP.split())
