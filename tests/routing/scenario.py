"""The little language of routing's tests: causes on virtual time, the real router, a real configuration."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from routing.configuration import load
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
from schemas.decision import Decision
from schemas.deed import Verdict
from schemas.identity import derived
from schemas.incident import Incident
from schemas.outcome import Deferred, Delivered, Outcome, Undeliverable
from schemas.page import Message, Notice, Page, Update
from schemas.record import Origin, Output, Record
from schemas.signal import Signal
from schemas.wire import encode, moment

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

Answer = Callable[[Message], Outcome | None]


def arrives(message: Message) -> Outcome | None:
    """A channel that takes everything; an update answers with the page's reference."""
    return Delivered(reference=f"ref {message.id}")


def dead(_: Message) -> Outcome | None:
    return Undeliverable(reason="channel_not_found")


def busy(_: Message) -> Outcome | None:
    return Deferred(reason="503")


def says_nothing(_: Message) -> Outcome | None:
    return None


_read = lru_cache(maxsize=64)(load)


def a_router() -> Router:
    """The product's; what many tests follow is read once, for it takes longer than most of them."""
    return Router(read=_read)


ONE_CHANNEL = """
route: {receiver: oncall, group_by: [agent], group_wait: 10s, group_interval: 2m, repeat_interval: 4h}
receivers: [{name: oncall, notify: [{slack: '#oncall'}]}]
severity:
  base: {error_rate: 70, cost: 40, silence: 90}
"""

ESCALATED = """
route: {receiver: triage, group_by: [agent], group_wait: 0s, group_interval: 2m, repeat_interval: 4h,
        routes: [{receiver: people, matchers: ['agent=~".+"']}]}
receivers:
- {name: triage, notify: [{slack: '#triage'}]}
- {name: people, notify: [{escalation: '{{ labels.team }}'}]}
agents: [{name: '*', team: payments}]
severity: {base: {error_rate: 70, cost: 40, silence: 90}}
users:
  ana: {slack: U01, pagerduty: 'env:PD_ANA'}
  bo: {slack: U02, pagerduty: 'env:PD_BO'}
teams: {payments: {escalation: payments}}
schedules:
  payments:
    timezone: UTC
    layers: [{name: base, start: '2026-01-05T09:00', every: 1 week, users: [ana, bo]}]
escalations:
  payments:
    steps:
    - {notify: [schedule: payments], via: [slack, pagerduty], wait: 5m}
    - {notify: [user: bo], via: [pagerduty], wait: 10m}
    ack_timeout: 30m
    exhausted: {receiver: triage}
"""


@dataclass
class Scenario:
    """A router, its configuration, channels that answer, and detectors that assert what fires each minute.

    `every`: how often the router is woken, or None: when it asks to be, as hosts do. `answers`: by a
    channel's kind or target, what it answers.
    """

    config: str = ONE_CHANNEL
    every: timedelta | None = None
    answers: dict[str, Answer] = field(default_factory=dict)
    router: Router = field(default_factory=a_router)
    now: datetime = START
    log: list[bytes] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    firing: dict[str, Signal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.configure(self.config)

    def configure(self, text: str) -> None:
        files = (ConfigFile("rules.yaml", text),)
        self.write(Configured(at=self.now, digest=derived("cfg", text), files=files))

    def signal(self, name: str = "s1", detector: str = "error_rate", **labels: str) -> None:
        """A finding opens now and is asserted each minute until it recovers."""
        known = {"agent": "refund-agent", "detector": detector, "finding": "sessions", **labels}
        self.firing[name] = Signal(
            id=name,
            detector=detector,
            finding="sessions",
            state="firing",
            labels=known,
            time=self.now,
            onset=self.now,
            summary=f"{name} of {known['agent']} fails",
        )
        self.write(Signalled(at=self.now, signal=self.firing[name]))

    def say_again(self, name: str = "s1") -> None:
        """The finding is asserted once more, now."""
        self.write(Signalled(at=self.now, signal=self.firing[name]))

    def recover(self, name: str = "s1") -> None:
        signal = self.firing.pop(name)
        values = {each: getattr(signal, each) for each in signal.__struct_fields__}
        ended = Signal(**{**values, "state": "resolved", "time": self.now, "reason": "recovered"})
        self.write(Signalled(at=self.now, signal=ended))

    def forget(self, name: str = "s1") -> None:
        """The detector falls silent: nothing more is heard of the finding."""
        del self.firing[name]

    def acknowledge(self, incident: str = "", by: str = "ana", name: str = "") -> None:
        name = name or f"ack-{len(self.log)}"
        self.write(Acknowledged(at=self.now, id=name, incident=incident or self.incident.id, by=by))

    def close(self, by: str = "ana", name: str = "") -> None:
        name = name or f"close-{len(self.log)}"
        self.write(Resolved(at=self.now, id=name, incident=self.incident.id, by=by))

    def silence(
        self,
        *matchers: str,
        lasts: timedelta = HOUR,
        name: str = "quiet",
        by: str = "ana",
        start: datetime | None = None,
    ) -> None:
        until = (start or self.now) + lasts
        known = Silenced(
            at=self.now, id=name, matchers=matchers, by=by, until=until, comment="known", start=start
        )
        self.write(known)

    def snooze(self, lasts: timedelta = HOUR, by: str = "ana", name: str = "") -> None:
        name = name or f"snooze-{len(self.log)}"
        until = self.now + lasts
        self.write(Snoozed(at=self.now, id=name, incident=self.incident.id, by=by, until=until))

    def hand(self, user: str = "", team: str = "", by: str = "ana", name: str = "") -> None:
        """Somebody hands the incident over."""
        name = name or f"hand-{len(self.log)}"
        said = {"id": name, "incident": self.incident.id, "by": by, "user": user, "team": team}
        self.write(Reassigned(at=self.now, **said))

    def comment(self, text: str, by: str = "ana", name: str = "", via: str = "slack") -> None:
        name = name or f"comment-{len(self.log)}"
        self.write(Commented(at=self.now, id=name, incident=self.incident.id, by=by, text=text, via=via))

    def judge(self, verdict: Verdict, by: str = "ana", name: str = "") -> None:
        name = name or f"judge-{len(self.log)}"
        self.write(Judged(at=self.now, id=name, incident=self.incident.id, by=by, verdict=verdict))

    def hush(self, lasts: timedelta = HOUR, name: str = "hush") -> None:
        """Somebody silences what is like the incident."""
        said = {"id": name, "incident": self.incident.id, "by": "ana", "until": self.now + lasts}
        self.write(Silenced(at=self.now, **said))

    def report(self, message: Message, outcome: Outcome, attempt: int | None = None) -> None:
        number = message.attempt if attempt is None else attempt
        self.write(Reported(at=self.now, page=message.id, attempt=number, outcome=outcome))

    def fast_forward(self, span: timedelta) -> None:
        """Time passes: the router is woken, detectors assert what fires each minute."""
        end = self.now + span
        while self.now < end:
            minute = self.now + MINUTE - (self.now - START) % MINUTE
            self.now = min(minute, self._wake(), end)
            if self.now == minute:
                for name in tuple(self.firing):
                    self.say_again(name)
            self.write(Wake(at=self.now))

    def _wake(self) -> datetime:
        if self.every is not None:
            return self.now + self.every - (self.now - START) % self.every
        wake_at = self.router.wake_at
        return START + 10 * 365 * 24 * HOUR if wake_at is None else moment(wake_at)

    def write(self, cause: AnyCause) -> list[Output]:
        """Appends a cause to the log; channels answer at once what comes out."""
        self.log.append(encode(cause))
        outputs = list(self.router.apply(Record(len(self.log) - 1, self.log[-1])))
        self.outputs += outputs
        for output in outputs:
            if isinstance(output.value, Page | Update):
                self._answer(output.value)
        return outputs

    def restart(self) -> None:
        """The process dies and another one restores what was saved."""
        saved = self.router.save(KEY)
        self.router = a_router()
        self.router.load(KEY, saved)

    def _answer(self, message: Message) -> None:
        channel = message.channel
        answer = self.answers.get(channel.target, self.answers.get(channel.kind, arrives))
        outcome = answer(message)
        if outcome is not None:
            self.report(message, outcome)

    @property
    def pages(self) -> list[Page]:
        values = (output.value for output in self.outputs)
        return [value for value in values if isinstance(value, Page) and not isinstance(value, Notice)]

    @property
    def notices(self) -> list[Notice]:
        return [output.value for output in self.outputs if isinstance(output.value, Notice)]

    @property
    def updates(self) -> list[Update]:
        return [output.value for output in self.outputs if isinstance(output.value, Update)]

    @property
    def paged(self) -> list[tuple[float, str]]:
        """Seconds since the start, and who or which channel."""
        return [(self._s(page.time), f"{page.channel.kind} {page.channel.target}") for page in self.pages]

    @property
    def told(self) -> list[tuple[float, str, str]]:
        """Seconds, recipient, reason of every page."""
        return [(self._s(page.time), page.to, page.reason) for page in self.pages]

    @property
    def updated(self) -> list[tuple[float, str, str]]:
        """Seconds, channel's target, reason of every update."""
        return [(self._s(each.time), each.channel.target, each.reason) for each in self.updates]

    @property
    def incidents(self) -> list[Incident]:
        """The current state of every incident, as others see it, in order of opening."""
        latest: dict[str, Incident] = {}
        for output in self.outputs:
            if isinstance(output.value, Incident):
                latest[output.value.id] = output.value
        return list(latest.values())

    @property
    def incident(self) -> Incident:
        """The last incident that opened."""
        return self.incidents[-1]

    @property
    def decisions(self) -> list[Decision]:
        return [output.value for output in self.outputs if isinstance(output.value, Decision)]

    @property
    def complaints(self) -> list[str]:
        return [output.value.reason for output in self.outputs if output.stream == "deadletter"]

    @staticmethod
    def _s(at: datetime) -> float:
        return (at - START).total_seconds()


def origin(offset: int, n: int = 0, partition: int = 0) -> Origin:
    """Where a cause of the events' partition came from."""
    return Origin(f"agent.events/{partition}", offset, n)
