"""The router under seeded trouble: crashes, causes told twice, late outcomes, dead channels, any wakes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.incidents.posting import PATIENCE
from routing.router import KEY, Router
from schemas.cause import (
    Acknowledged,
    AnyCause,
    Commented,
    ConfigFile,
    Configured,
    Judged,
    Reassigned,
    Reported,
    Resolved,
    Signalled,
    Silenced,
    Snoozed,
    Wake,
)
from schemas.incident import Incident
from schemas.outcome import Deferred, Delivered, Outcome, Undeliverable
from schemas.page import Message, Notice, Page, Update
from schemas.record import Origin, Record
from schemas.signal import Signal
from schemas.wire import encode, moment
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, ONE_CHANNEL, SECOND, START, a_router

AGENTS = 4
SPAN = 2 * HOUR
CALM = 8 * HOUR
pytestmark = pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured


@dataclass
class Trouble:
    """What goes wrong. Shares in [0, 1]; `late`: how long an outcome may take.

    `lost`: of notifiers that die between the send and the record; the outcome comes when another one looks.
    """

    crash: float = 0.0
    again: float = 0.0
    lost: float = 0.0
    deferred: float = 0.0
    dead: tuple[str, ...] = ()
    late: timedelta = timedelta(0)


@dataclass
class Weather:
    """Agents whose findings come and go, people who answer now and then, and channels in trouble."""

    seed: int
    trouble: Trouble
    config: str = ESCALATED
    now: datetime = START
    log: list[bytes] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    incidents: dict[str, Incident] = field(default_factory=dict)
    firing: dict[str, Signal] = field(default_factory=dict)
    reports: list[tuple[datetime, Reported]] = field(default_factory=list)
    delivered: dict[str, Message] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.router = a_router()
        self.serial = 0
        self.write(Configured(at=START, digest="d", files=(ConfigFile("rules.yaml", self.config),)))

    def write(self, cause: AnyCause) -> None:
        """Appends a cause; the router may die before, and take a range of the log once more."""
        self.log.append(encode(cause))
        if self.random.random() < self.trouble.crash:
            self._crash()
        for output in self.router.apply(Record(len(self.log) - 1, self.log[-1])):
            if isinstance(output.value, Page | Update):
                self._attempt(output.value)
            elif isinstance(output.value, Incident):
                self.incidents[output.value.id] = output.value

    def _crash(self) -> None:
        """Another process restores the last snapshot; what it takes again gives nothing twice."""
        saved = self.router.save(KEY)
        self.router = a_router()
        self.router.load(KEY, saved)
        for offset in range(max(0, len(self.log) - 20), len(self.log) - 1):
            assert self.router.apply(Record(offset, self.log[offset])) == ()

    def _attempt(self, message: Message) -> None:
        self.messages.append(message)
        outcome = self._outcome(message)
        if isinstance(outcome, Delivered):
            self.delivered.setdefault(message.id, message)
        report = Reported(at=self.now, page=message.id, attempt=message.attempt, outcome=outcome)
        late = self.random.random() * self.trouble.late
        if self.random.random() < self.trouble.lost:
            late += self.random.randrange(5, 15) * MINUTE
        self.reports.append((self.now + late, report))

    def _outcome(self, message: Message) -> Outcome:
        if message.channel.target in self.trouble.dead:
            return Undeliverable(reason="gone")
        if self.random.random() < self.trouble.deferred:
            return Deferred(reason="busy", retry_at=self.now + self.random.randrange(300) * SECOND)
        return Delivered(reference=f"ref {message.id}")

    def run(self) -> None:
        """Two hours of weather, then calm until all is settled."""
        while self.now < START + SPAN:
            self._step(timedelta(seconds=self.random.randrange(1, 40)))
            self._happen()
        for name in tuple(self.firing):
            self._end(name)
        self.trouble = Trouble(dead=self.trouble.dead)
        while self.now < START + SPAN + CALM:
            self._step(MINUTE)

    def _step(self, span: timedelta) -> None:
        end = self.now + span
        while self.now < end:
            wake_at = self.router.wake_at
            self.now = min(end, max(self.now, moment(wake_at)) if wake_at else end)
            self.write(Wake(at=self.now))
            due = [report for at, report in self.reports if at <= self.now]
            self.reports = [each for each in self.reports if each[0] > self.now]
            for report in due:
                for _ in range(1 + (self.random.random() < self.trouble.again)):
                    self.write(report)

    def _happen(self) -> None:
        name = f"agent-{self.random.randrange(AGENTS)}"
        chance = self.random.random()
        if chance < 0.1 and name in self.firing:
            self._end(name)
        elif chance < 0.2:
            self._begin(name)
        elif chance < 0.25 and self.incidents:
            incident = self.random.choice(list(self.incidents))
            cause = self._word(incident)
            for _ in range(1 + (self.random.random() < self.trouble.again)):
                self.write(cause)
        for each in tuple(self.firing):
            self._say(self.firing[each])

    def _word(self, incident: str) -> AnyCause:
        """What somebody does to an incident, mostly taking it."""
        said = {"at": self.now, "id": f"w{len(self.log)}", "incident": incident, "by": "ana"}
        soon = self.now + timedelta(seconds=self.random.randrange(1, 3600))
        words = (
            *(6 * [lambda: Acknowledged(**said)]),
            *(2 * [lambda: Resolved(**said)]),
            lambda: Snoozed(**said, until=soon),
            lambda: Reassigned(**said, user=self.random.choice(["ana", "bo"])),
            lambda: Reassigned(**said, team="payments"),
            lambda: Commented(**said, text="looking"),
            lambda: Judged(**said, verdict="useful"),
            lambda: Silenced(**said, until=soon),
        )
        return self.random.choice(words)()

    def _begin(self, name: str) -> None:
        detector = self.random.choice(["error_rate", "cost", "silence"])
        self.firing[name] = Signal(
            id=f"{name}-{detector}-{self.now.isoformat()}",
            detector=detector,
            finding="x",
            state="firing",
            labels={"agent": name},
            time=self.now,
            onset=self.now,
            summary=f"{name} fails",
        )
        self._say(self.firing[name])

    def _end(self, name: str) -> None:
        before = self.firing.pop(name)
        fields = {each: getattr(before, each) for each in before.__struct_fields__}
        self._say(Signal(**{**fields, "state": "resolved", "time": self.now}))

    def _say(self, signal: Signal) -> None:
        """A signal, whose detector may crash and tell the range again."""
        self.serial += 1
        cause = Signalled(at=self.now, signal=signal, origin=Origin("agent.events/0", self.serial, 0))
        for _ in range(1 + (self.random.random() < self.trouble.again)):
            self.write(cause)


TROUBLES = {
    "none": Trouble(),
    "crashes": Trouble(crash=0.05),
    "told twice": Trouble(again=0.5),
    "late": Trouble(late=3 * MINUTE),
    "busy": Trouble(deferred=0.5),
    "lost": Trouble(lost=0.3, late=MINUTE),
    "dead": Trouble(dead=("U01", "env:PD_ANA")),
    "all": Trouble(crash=0.03, again=0.3, lost=0.2, deferred=0.3, dead=("U01",), late=2 * MINUTE),
}


def pages_of(weather):
    return [message for message in weather.messages if isinstance(message, Page)]


@pytest.mark.parametrize("name", TROUBLES)
@pytest.mark.parametrize("seed", range(3))
def test_whatever_goes_wrong_every_page_arrives_and_is_resolved(name, seed):
    t = Weather(seed, TROUBLES[name])
    t.run()
    assert {each.status for each in t.incidents.values()} <= {"resolved"}
    paged = [page for page in pages_of(t) if page.id in t.delivered]
    assert paged
    resolved = {
        message.page for message in t.messages if isinstance(message, Update) and message.reason == "resolved"
    }
    for page in paged:
        assert page.id in resolved
    # Nothing is kept of what is over.
    assert not [part for part in t.router.save(KEY).parts if part.startswith("cases-")]


@pytest.mark.parametrize("seed", range(3))
def test_every_incident_that_lasts_reaches_somebody_although_channels_are_dead(seed):
    t = Weather(seed, Trouble(dead=("U01", "env:PD_ANA", "env:PD_BO"), deferred=0.3))
    t.run()
    reached = {message.incident for message in t.delivered.values() if isinstance(message, Page)}
    tried = {page.incident for page in pages_of(t)}
    short = {each.id for each in t.incidents.values() if each.resolved - each.opened < 30 * MINUTE}
    assert tried - short <= reached


@pytest.mark.parametrize("seed", range(3))
def test_no_attempt_is_made_twice(seed):
    t = Weather(seed, TROUBLES["all"])
    t.run()
    attempts = [(message.id, message.attempt) for message in t.messages]
    assert len(attempts) == len(set(attempts))
    once = [
        (page.incident, page.to, page.time, page.channel.target) for page in pages_of(t) if page.attempt == 1
    ]
    assert len(once) == len(set(once))


def test_a_log_in_which_every_cause_stands_twice_gives_the_same_messages():
    t = Weather(7, TROUBLES["busy"])
    t.run()
    twice = a_router()
    outputs = [
        output.value
        for offset in range(2 * len(t.log))
        for output in twice.apply(Record(offset, t.log[offset // 2]))
    ]
    assert [each for each in outputs if isinstance(each, Page | Update)] == t.messages
    assert twice.counts["causes repeated"] > 0


moves = st.lists(
    st.tuples(
        st.integers(1, 400),
        st.sampled_from(["begin", "end", "ack", "close"]),
        st.sampled_from("abc"),
        st.sampled_from(["cost", "error_rate", "silence"]),
    ),
    max_size=12,
)


def life(steps):
    """What happens when: signals, and words about the newest incident."""
    at = START
    for number, (wait, what, agent, detector) in enumerate(steps):
        at += wait * SECOND
        if what == "ack":
            yield lambda newest, at=at, number=number: Acknowledged(
                at=at, id=str(number), incident=newest, by="ana"
            )
        elif what == "close":
            yield lambda newest, at=at, number=number: Resolved(
                at=at, id=str(number), incident=newest, by="ana"
            )
        else:
            state = "firing" if what == "begin" else "resolved"
            signal = Signal(
                id=f"{agent}-{detector}",
                detector=detector,
                finding="x",
                state=state,
                labels={"agent": agent},
                time=at,
                onset=at,
                summary="",
            )
            yield lambda _, at=at, signal=signal: Signalled(at=at, signal=signal)


@dataclass
class Woken:
    """A router that is woken at given times besides; nothing is ever acknowledged by a channel."""

    config: str
    wakes: list[datetime]
    router: Router = field(default_factory=a_router)
    offset: int = 0
    newest: str = "none"
    pages: list[Page] = field(default_factory=list)

    def take(self, cause: AnyCause) -> None:
        while self.wakes and self.wakes[0] <= cause.at:
            self._apply(Wake(at=self.wakes.pop(0)))
        self._apply(cause)

    def _apply(self, cause: AnyCause) -> None:
        for output in self.router.apply(Record(self.offset, encode(cause))):
            if isinstance(output.value, Incident):
                self.newest = output.value.id
            elif isinstance(output.value, Page):
                self.pages.append(output.value)
        self.offset += 1

    def live(self, steps) -> list[Page]:
        self.take(Configured(at=START, digest="d", files=(ConfigFile("r.yaml", self.config),)))
        for step in life(steps):
            self.take(step(self.newest))
        self.take(Wake(at=START + 2 * CALM))
        return self.pages


@given(moves, st.integers(20, 600), st.sampled_from([ESCALATED, ONE_CHANNEL]))
def test_wakes_at_any_time_give_the_same_pages(steps, every_s, config):
    times = [START + each * SECOND for each in range(0, 9_000, every_s)]
    pages = Woken(config, times).live(steps)
    assert pages == Woken(config, []).live(steps)
    assert bool(pages) >= any(what == "begin" for _, what, *_ in steps[-1:])


HANDED = ESCALATED.replace("1 week", "1 hour").replace(
    "timezone: UTC\n", "timezone: UTC\n    handoff: {notice: 10m, slack: '#shifts'}\n"
)


@pytest.mark.parametrize("name", TROUBLES)
@pytest.mark.parametrize("seed", range(2))
def test_every_handoff_is_told_once_whatever_goes_wrong(name, seed):
    t = Weather(seed, TROUBLES[name], HANDED)
    t.run()
    first = [each for each in t.messages if isinstance(each, Notice) and each.attempt == 1]
    told = [(each.reason, (each.time - START) / MINUTE) for each in first]
    hours = int((SPAN + CALM) / HOUR)
    expected = [("handoff_soon", 60.0 * hour - 10) for hour in range(1, hours + 1)]
    expected += [("handoff", 60.0 * hour) for hour in range(1, hours + 1)]
    assert sorted(told, key=lambda each: each[1]) == sorted(expected, key=lambda each: each[1])
    assert len({each.id for each in first}) == len(first)
    given_up = {each.id for each in t.messages if isinstance(each, Notice) and each.attempt == PATIENCE}
    assert {each.id for each in first} <= t.delivered.keys() | given_up
