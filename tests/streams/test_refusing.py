"""Channels that take nothing are told to routing by the worker that routes."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from schemas.cause import Signalled
from schemas.page import Page
from schemas.wire import decode_cause
from streams.hosting.log import AppendFailed
from streams.hosting.topics import CAUSES
from streams.watching.refusing import Refusing
from tests.memory_log import Act, Disk, MemoryLog
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, START, Scenario, dead

GONE = ESCALATED.replace("slack: U01", "webhook: 'https://hooks.example/1?key=secret'").replace(
    "via: [slack, pagerduty]", "via: [webhook, pagerduty]"
)
ELSEWHERE = "{receiver: triage, matchers: ['agent=\"agent-oversight\"']}"


class Stage:
    """A router whose channel refuses, and its worker, which looks every five seconds."""

    def __init__(self, *acts: Act, rules: str = GONE) -> None:
        self.t = Scenario(rules, answers={"webhook": dead})
        self.disk, self.routes = Disk(), True
        self.log = MemoryLog(self.disk, list(acts))
        self.begins()

    def begins(self) -> None:
        """Another worker has the router."""
        self.refusing = Refusing(lambda: self.t.router if self.routes else None, self.log, self)

    def now(self):
        return self.t.now

    async def go(self, span: timedelta) -> None:
        end, read = self.t.now + span, len(self.disk.records(CAUSES))
        while self.t.now < end:
            self.t.fast_forward(timedelta(seconds=5))
            await self.refusing.look()
            for record in self.disk.records(CAUSES)[read:]:
                self.t.write(decode_cause(record.value))
            read = len(self.disk.records(CAUSES))

    @property
    def signals(self):
        causes = (decode_cause(each.value) for each in self.disk.records(CAUSES))
        return [each.signal for each in causes if isinstance(each, Signalled)]

    async def refused(self) -> None:
        """The webhook refuses two pages, a quarter of an hour apart."""
        self.t.signal("s1", agent="a")
        await self.go(15 * MINUTE)
        self.t.signal("s2", detector="silence", agent="b")


async def test_it_is_told_once_with_the_channel_for_whom_since_when_and_why_and_asserted_each_minute():
    stage = Stage()
    await stage.refused()
    assert stage.signals == []
    with capture_logs() as said:
        await stage.go(10 * MINUTE)
    first, *rest = stage.signals
    assert first.labels == {
        "agent": "agent-oversight",
        "detector": "telemetry",
        "finding": "channel_refuses",
        "channel": "webhook:https://hooks.example/… 058a70",
    }
    where, _, told = first.summary.partition(", ")
    assert where == first.labels["channel"]
    assert told == "for ana, has taken nothing since 2026-01-05 09:00 UTC: channel_not_found"
    assert (first.onset, first.state) == (START, "firing")
    assert {(each.id, each.state) for each in rest} == {(first.id, "firing")}
    assert len(rest) == 9
    assert [each["event"] for each in said] == ["refusing.told"]
    told = [each for each in stage.t.outputs if isinstance(each.value, Page)]
    about = [each.value for each in told if each.value.content.labels.get("agent") == "agent-oversight"]
    assert len({each.incident for each in about}) == 1


async def test_it_is_over_when_the_channel_takes_a_page_and_told_once():
    stage = Stage()
    await stage.refused()
    await stage.go(2 * MINUTE)
    stage.t.answers = {}
    stage.t.signal("s3", detector="silence", agent="c")
    await stage.go(HOUR)
    assert [each.state for each in stage.signals].count("resolved") == 1
    assert (stage.signals[-1].state, stage.signals[-1].reason) == ("resolved", "recovered")


async def test_what_nobody_tried_for_a_day_ends_as_stale_and_not_as_recovered():
    stage = Stage(rules=GONE.replace("routes: [", f"routes: [{ELSEWHERE}, "))
    await stage.refused()
    await stage.go(2 * MINUTE)
    for name in ("s1", "s2"):
        stage.t.recover(name)
    stage.t.fast_forward(timedelta(days=1))
    await stage.go(timedelta(seconds=5))
    assert (stage.signals[-1].state, stage.signals[-1].reason) == ("resolved", "stale")


async def test_of_a_channel_whose_address_was_changed_in_the_rules_nothing_is_told_any_more():
    stage = Stage()
    await stage.refused()
    await stage.go(2 * MINUTE)
    told = stage.signals[-1].labels["channel"]
    stage.t.configure(GONE.replace("/1?key=secret", "/2"))
    await stage.go(timedelta(seconds=5))
    assert (stage.signals[-1].state, stage.signals[-1].reason) == ("resolved", "gone")
    before = len(stage.signals)
    await stage.go(HOUR)
    assert told not in "".join(each.summary for each in stage.signals[before:])


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("https://hooks.example/services/T0/B0/token", "webhook:https://hooks.example/… "),
        ("https://hooks.example:8443/token", "webhook:https://hooks.example:8443/… "),
        ("https://hooks.example?token", "webhook:https://hooks.example/… "),
        ("env:HOOK", "webhook:env:HOOK"),
    ],
)
async def test_of_an_address_only_the_host_is_told(target, told):
    stage = Stage(rules=GONE.replace("https://hooks.example/1?key=secret", target))
    await stage.refused()
    await stage.go(MINUTE)
    where = stage.signals[0].labels["channel"]
    assert where.startswith(told)
    assert "token" not in stage.signals[0].summary
    assert (len(where) - len(told)) == (0 if target.startswith("env:") else 6)


async def test_the_next_worker_that_routes_asserts_the_same():
    stage = Stage()
    await stage.refused()
    await stage.go(2 * MINUTE)
    stage.routes = False
    await stage.go(MINUTE)
    before = len(stage.signals)
    stage.routes = True
    stage.begins()
    await stage.go(timedelta(seconds=5))
    assert len(stage.signals) == before + 1
    assert len({each.id for each in stage.signals}) == 1


async def test_what_the_log_does_not_take_is_due_still():
    stage = Stage(Act.FAIL)
    await stage.refused()
    with pytest.raises(AppendFailed):
        await stage.refusing.look()
    await stage.refusing.look()
    assert len(stage.signals) == 1


@pytest.mark.parametrize(("acts", "event"), [([Act.FAIL], "refusing.not_told"), ([], "refusing.look_failed")])
async def test_a_look_that_fails_is_not_the_last(acts, event):
    stage = Stage(*acts)
    await stage.refused()
    router, fails = stage.t.router, [] if acts else [None]

    def found():
        return fails.pop().router if fails else router

    watching = Refusing(found, stage.log, stage)
    with capture_logs() as said:
        task = asyncio.create_task(watching.run(timedelta(milliseconds=1)))
        while not stage.signals:  # noqa: ASYNC110 - told in the task
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert said[0]["event"] == event
