"""Silences, inhibition and muted hours under wakes and restarts at any time: the same pages, none lost."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.configuration import load
from routing.router import KEY, Router
from schemas.cause import AnyCause, ConfigFile, Configured, Reported, Signalled, Silenced, Wake
from schemas.incident import Incident
from schemas.outcome import Delivered
from schemas.page import Notice, Page, Update
from schemas.record import Record
from schemas.signal import Signal
from schemas.wire import encode
from tests.routing.scenario import HOUR, MINUTE, SECOND, START

RULES = """
route: {receiver: triage, group_by: [agent, detector], group_wait: 10s, group_interval: 2m,
        repeat_interval: 1h,
        routes: [{receiver: oncall, matchers: ['agent!="c"'], mute_time_intervals: [now]}]}
receivers: [{name: triage, notify: [{slack: '#triage'}]}, {name: oncall, notify: [{slack: '#oncall'}]}]
severity: {base: {error_rate: 70, cost: 40, dependency: 90}}
inhibit_rules: [{source_matchers: [detector=dependency], target_matchers: [detector=error_rate]}]
time_intervals: [{name: now, time_intervals: [{times: [{start_time: '09:20', end_time: '09:50'}]}]}]
silences:
- {name: s, matchers: [detector=cost], start: '2026-01-05T09:10', end: '2026-01-05T10:25', author: ana}
users: {ana: {slack: U01}}
"""
END = START + 8 * HOUR
POLICY = load((ConfigFile("r.yaml", RULES),))


def router():
    """One that need not read the configuration again when it is restored."""
    return Router(read=lambda _: POLICY)


moves = st.lists(
    st.tuples(
        st.integers(1, 1500),
        st.sampled_from(["begin", "begin", "end", "silence"]),
        st.sampled_from("abc"),
        st.sampled_from(["cost", "error_rate", "dependency"]),
    ),
    min_size=1,
    max_size=12,
)


@dataclass
class Life:
    """A router that is told what happens. `delivers`: each page, at once; `restarts`: after every cause."""

    wakes: list[datetime]
    delivers: bool = True
    restarts: bool = False
    router: Router = field(default_factory=router)
    offset: int = 0
    said: list[Page | Update] = field(default_factory=list)
    incidents: dict[str, Incident] = field(default_factory=dict)
    firing: dict[str, Signal] = field(default_factory=dict)

    def take(self, cause: AnyCause) -> None:
        while self.wakes and self.wakes[0] <= cause.at:
            self._apply(Wake(at=self.wakes.pop(0)))
        self._apply(cause)

    def _apply(self, cause: AnyCause) -> None:
        outputs = self.router.apply(Record(self.offset, encode(cause)))
        self.offset += 1
        if self.restarts:
            saved = self.router.save(KEY)
            self.router = router()
            self.router.load(KEY, saved)
        for output in outputs:
            if isinstance(output.value, Incident):
                self.incidents[output.value.id] = output.value
            elif isinstance(output.value, Notice) and output.value.attempt > 1:
                pass  # Whoever was not woken for a while gives channels the time to answer from then on.
            elif isinstance(output.value, Page | Update):
                self.said.append(output.value)
                if self.delivers:
                    self._deliver(output.value)

    def _deliver(self, message: Page | Update) -> None:
        outcome = Delivered(reference=message.id)
        self._apply(Reported(at=message.time, page=message.id, attempt=message.attempt, outcome=outcome))

    def live(self, steps) -> None:
        """What the moves say, each signal asserted every five minutes while it fires, until long after."""
        self.take(Configured(at=START, digest="d", files=(ConfigFile("r.yaml", RULES),)))
        now = START
        for number, (wait, what, agent, detector) in enumerate(steps):
            now = self._pass(now, wait * SECOND)
            self._move(now, number, what, agent, detector)
        self._pass(now, END - now)

    def _pass(self, now: datetime, span: timedelta) -> datetime:
        end = now + span
        while (now := min(end, now + 5 * MINUTE)) < end:
            for signal in self.firing.values():
                self.take(Signalled(at=now, signal=signal))
        return end

    def _move(self, now: datetime, number: int, what: str, agent: str, detector: str) -> None:
        if what == "silence":
            until = now + 40 * MINUTE
            self.take(Silenced(at=now, id=str(number), matchers=(f"agent={agent}",), by="ana", until=until))
            return
        name = f"{agent}-{detector}"
        labels = {"agent": agent}
        state = "firing" if what == "begin" else "resolved"
        signal = Signal(
            id=name,
            detector=detector,
            finding="x",
            state=state,
            labels=labels,
            time=now,
            onset=now,
            summary=name,
        )
        self.firing.pop(name, None)
        if what == "begin":
            self.firing[name] = signal
        self.take(Signalled(at=now, signal=signal))


def lived(steps, **how):
    life = Life(**how)
    life.live(steps)
    return life


@given(moves, st.integers(100, 3000))
@settings(max_examples=25)
def test_wakes_at_any_time_change_nothing(steps, every_s):
    times = [START + each * SECOND for each in range(0, int((END - START) / SECOND), every_s)]
    alone = lived(steps, wakes=[], delivers=False)
    assert lived(steps, wakes=times, delivers=False).said == alone.said


@given(moves)
@settings(max_examples=10)
def test_restarts_after_every_cause_change_nothing(steps):
    alone = lived(steps, wakes=[])
    assert lived(steps, wakes=[], restarts=True).said == alone.said


@given(moves)
def test_what_fires_when_all_mutes_are_over_is_paged_unless_its_source_fires(steps):
    life = lived(steps, wakes=[])
    paged = {page.incident for page in life.said if isinstance(page, Page) and page.reason != "expiring"}
    is_source = any(signal.detector == "dependency" for signal in life.firing.values())
    for incident in life.incidents.values():
        assert incident.status in ("triggered", "resolved")
        if incident.status == "triggered":
            hidden = is_source and incident.labels["detector"] == "error_rate"
            assert bool(incident.muted_by) is hidden
            assert incident.id in paged or hidden


@given(moves)
def test_every_page_of_a_resolved_incident_is_resolved(steps):
    life = lived(steps, wakes=[])
    over = {each.id for each in life.incidents.values() if each.status == "resolved"}
    resolved = {each.page for each in life.said if isinstance(each, Update) and each.reason == "resolved"}
    assert {each.id for each in life.said if isinstance(each, Page) and each.incident in over} <= resolved
