"""By the wall clock: live events page, climb and are kept up to date, whatever happens to worker and rules.

The three experiments that Alertmanager fails or passes by luck are here: a healthy pair delivers one page, a
receiver that answers 500 for ten seconds gets one, and so does one whose worker was killed inside group_wait.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from schemas.cause import Resolved
from schemas.event import Agent, Conversation, Data, Event, Failure, Operation
from schemas.wire import encode
from streams.hosting.kafka import KafkaLog
from streams.hosting.log import Outgoing
from streams.hosting.topics import CAUSES, EVENTS, create
from tests.contract.witness import Witness, witnessing
from tests.contract.workers import Site, Worker, site

pytestmark = pytest.mark.timeout(180)
PARTITIONS = 1
EVERYTHING = (f"{CAUSES}/0", f"{EVENTS}/0")
SESSION_S = {"kafka": 4.0, "tansu": 6.0}
AGENT = "refund-agent"
WITHIN = timedelta(seconds=60)
STILL = timedelta(seconds=4)
"""Long enough for a second page to have come, had there been one."""
RULES = """\
route: {{receiver: on-call, group_by: [agent, detector], group_wait: {wait}, group_interval: 5s}}
receivers:
- name: on-call
  notify: [{{escalation: refunds, fallback: refunds}}]
- name: triage
  notify: [slack: '#triage']
agents:
- {{name: '*', team: refunds, consequence: high}}
users:
  ana: {{tz: UTC, slack: U01}}
  bo: {{tz: UTC, slack: U02}}
teams:
  refunds: {{escalation: refunds}}
escalations:
  refunds:
    steps:
    - {{notify: [user: ana], via: [slack], wait: {climb}}}
    - {{notify: [user: bo], via: [slack], wait: 30m}}
    exhausted: {{receiver: triage}}
"""
PATIENT = RULES.format(wait="8s", climb="30m")
HASTY = RULES.format(wait="1s", climb="6s")
_ids = count()


class Live:
    """A site in the wall clock, and the log that its agents publish to."""

    def __init__(self, where: Site, witness: Witness, log: KafkaLog, rules: Path) -> None:
        self.site = where
        self.witness = witness
        self.rules = rules
        self._log = log

    @property
    def recipients(self) -> list[str]:
        """Slack channels of the pages that arrived, in order."""
        return [each["channel"] for each in self.site.slack.top]

    async def outage(self) -> None:
        """Twenty sessions end well, then eight fail, all within a second of now."""
        now = datetime.now(UTC)
        outcomes = [False] * 20 + [True] * 8
        ends = [
            _ended(now - timedelta(milliseconds=10 * left), failed=failed)
            for left, failed in enumerate(reversed(outcomes))
        ]
        events = [Outgoing(AGENT.encode(), encode(each)) for each in reversed(ends)]
        await self._log.append(EVENTS, 0, events)

    async def backlog(self, count: int) -> None:
        """So many sessions of agents that fare well, all of this moment."""
        now = datetime.now(UTC)
        for _ in range(0, count, 5_000):
            events = [encode(_ended(now, failed=False)) for _ in range(5_000)]
            await self._log.append(EVENTS, 0, [Outgoing(AGENT.encode(), each) for each in events])

    async def said(self, cause: Resolved) -> None:
        """A person says something."""
        await self._log.append(CAUSES, 0, [Outgoing(b"person", encode(cause))])

    async def until(self, holds: Callable[[], object], worker: Worker, within: timedelta = WITHIN) -> None:
        """Waits until something holds."""
        deadline_s = time.monotonic() + within.total_seconds()
        while not holds():
            assert worker.process.poll() is None, worker.last_words
            assert time.monotonic() < deadline_s, (self.recipients, worker.last_words)
            await asyncio.sleep(0.05)

    async def incident(self, worker: Worker) -> str:
        """The only incident, once it paged somebody."""
        await self.until(lambda: self.witness.pages, worker)
        (incident,) = {page.incident for page in self.witness.pages.values()}
        return incident

    async def stays_at(self, expected: Sequence[str]) -> None:
        """These were paged, in this order, and nobody else is for a while."""
        await asyncio.sleep(STILL.total_seconds())
        assert self.recipients == list(expected)


def _ended(at: datetime, *, failed: bool) -> Event:
    number = next(_ids)
    data = Data(
        operation=Operation(name="invoke_agent"),
        agent=Agent(name=AGENT),
        conversation=Conversation(id=f"session-{number}", state="ended"),
        error=Failure(type="agent_error", class_="non_retryable") if failed else None,
    )
    return Event(
        specversion="1.0", id=str(number), source="test", type="agent.session.v1", time=at, data=data
    )


@pytest.fixture
def rules(tmp_path) -> Path:
    path = tmp_path / "oversight.yml"
    path.write_text(PATIENT)
    return path


@pytest.fixture
def hasty() -> Mapping[str, str]:
    """What a worker is told beside what all are."""
    return {}


@pytest.fixture
async def live(own_broker, tmp_path, rules, hasty) -> AsyncIterator[Live]:
    connection = {"bootstrap_servers": own_broker.bootstrap}
    await create(connection, partitions=PARTITIONS)
    variables = {"OVERSIGHT_SESSION_S": str(SESSION_S[own_broker.name]), "OVERSIGHT_SNAPSHOT_S": "1", **hasty}
    async with (
        site(own_broker.bootstrap, tmp_path, rules, variables) as where,
        witnessing(own_broker.bootstrap) as witness,
        KafkaLog(connection) as log,
    ):
        yield Live(where, witness, log, rules)


@pytest.fixture
async def worker(live) -> Worker:
    started = live.site.worker()
    await started.owns(*EVERYTHING)
    return started


async def test_a_healthy_pair_delivers_one_page(live, worker):
    second = live.site.worker()
    await live.outage()
    await live.until(lambda: live.recipients, worker)
    await live.stays_at(["DU01"])
    assert second.process.poll() is None, second.last_words


async def test_a_receiver_that_answers_500_for_ten_seconds_gets_one_page(live, worker):
    live.site.slack.schedule = [500] * 1000
    await live.outage()
    await live.until(lambda: live.site.slack.received, worker)
    await asyncio.sleep(10)
    assert live.recipients == []
    live.site.slack.schedule.clear()
    await live.until(lambda: live.recipients, worker)
    await live.stays_at(["DU01"])


async def test_a_worker_that_is_killed_inside_group_wait_pages_once(live, worker):
    await live.outage()
    await live.until(lambda: live.witness.accepted, worker)
    worker.kill()
    assert live.recipients == []
    heir = live.site.worker()
    await live.until(lambda: live.recipients, heir)
    await live.stays_at(["DU01"])


class TestAnIncident:
    @pytest.fixture
    def rules(self, tmp_path) -> Path:
        path = tmp_path / "oversight.yml"
        path.write_text(HASTY)
        return path

    async def test_is_climbed_by_the_heir_of_a_killed_worker_and_every_page_is_edited_to_its_end(
        self, live, worker
    ):
        await live.outage()
        await live.until(lambda: live.witness.delivered, worker)
        worker.kill()
        heir = live.site.worker()
        await live.until(lambda: live.recipients == ["DU01", "DU02"], heir)
        incident = await live.incident(heir)
        now = datetime.now(UTC)
        await live.said(Resolved(at=now, id="by-hand", incident=incident, by="ana"))
        await live.until(lambda: live.site.slack.methods.count("chat.update") == 2, heir)
        for message in live.site.slack.top:
            assert "resolved" in message["text"].lower()
        await live.stays_at(["DU01", "DU02"])


class TestAWorkerThatReadsLate:
    @pytest.fixture
    def hasty(self) -> Mapping[str, str]:
        return {"OVERSIGHT_BEHIND_S": "0.2", "OVERSIGHT_BEHIND_FOR_S": "0.1"}

    @pytest.fixture
    def rules(self, tmp_path) -> Path:
        path = tmp_path / "oversight.yml"
        path.write_text(RULES.format(wait="0s", climb="30m"))
        return path

    async def test_pages_once_that_events_wait_and_says_so_when_they_do_not_any_more(self, live, worker):
        deadline_s = time.monotonic() + WITHIN.total_seconds()
        while not live.recipients:
            await live.backlog(10_000)
            assert time.monotonic() < deadline_s, worker.last_words
        assert "agent.events/0 is read" in live.site.slack.top[0]["text"]
        await live.until(lambda: _behind(worker)[-1] == "resolved", worker)
        await live.until(lambda: "chat.update" in live.site.slack.methods, worker)
        await live.stays_at(["DU01"])
        await worker.stop()


async def test_changed_rules_are_followed_and_bad_ones_told_to_the_owner_while_the_old_stay(live, worker):
    live.rules.write_text("route: {receiver: nobody}\n")
    await live.until(lambda: "rules.refused" in _events(worker), worker)
    await live.until(lambda: live.recipients == ["DU01"], worker)
    (told,) = live.site.slack.top
    assert "configuration is refused" in told["text"]
    live.rules.write_text(PATIENT.replace("U01", "U09").replace("wait: 8s", "wait: 1s"))
    await live.until(lambda: "rules.followed" in _events(worker), worker)
    await live.outage()
    await live.until(lambda: len(live.recipients) > 1, worker)
    await live.stays_at(["DU01", "DU09"])


def _events(worker: Worker) -> list[str]:
    return [each["event"] for each in worker.said]


def _behind(worker: Worker) -> list[str]:
    """What it told of being behind."""
    return [each["state"] for each in worker.said if each["event"] == "behind.told"]
