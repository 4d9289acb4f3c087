"""How many sessions begin, by the hour of the week: far fewer than ever, or far more.

Where events tell of no sessions, operations are counted. An agent of which nothing at all is heard is silent
(`silence`).
"""

from collections.abc import Mapping, Sequence
from math import floor
from typing import Any, ClassVar, Self

from detectors.contrast import values
from detectors.dense import encoded
from detectors.detector import Coming, Finding, State, decoded, short_of
from detectors.settings import Watch
from detectors.volumes.flow import Flow
from detectors.volumes.seasons import FEWEST_HOURS
from detectors.volumes.tide import Tide
from detectors.volumes.traffic_finding import changed
from schemas.event import Event
from schemas.signal import Sample

MINUTE_S = 60.0
SESSION = "agent.session.v1"
COMPARED_A_MINUTE = 8
"""Arrivals looked at by version, tenant, …"""
MOST_NAMES = 256
"""Conversations of the open minute that are known to have been counted."""
LATE_S = 300.0
"""What is told of later than this began before, and not now."""


class Traffic:
    """Findings `drop` and `surge`: far fewer or far more sessions begin than this hour of the week explains.

    It has no options.
    """

    name: ClassVar[str] = "traffic"
    version: ClassVar[int] = 1
    warm_up: ClassVar[str] = (
        "Three days of an agent that never rests, a week of its days, three of its weekends."
    )
    quiet_arl_days: ClassVar[float] = 30.0
    watches: ClassVar[frozenset[str]] = frozenset({"agent.operation.v1", SESSION})
    takes: ClassVar[frozenset[str]] = frozenset()
    outlives_s: ClassVar[float] = 7200.0

    __slots__ = ("_closes_at", "_flow", "_names", "_tide")

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol's
        """Raises nothing: there is nothing to configure."""
        self._restore(Flow())

    def _restore(self, flow: Flow) -> None:
        self._flow, self._tide = flow, Tide(flow)
        self._closes_at = (flow.minute + 1) * MINUTE_S
        self._names: set[str] = set()

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """There is nothing to follow."""

    def observe(self, event: Event, now: float) -> None:
        """Takes one event: the first of a conversation in a while counts."""
        if now >= self._closes_at:
            self._turn(now)
        if self._flow.heard != self._flow.minute:
            self._tide.hears()
        data = event.data
        conversation = data.conversation
        if conversation is None or not (name := conversation.id):
            if event.type != SESSION:
                self._arrives(event, 1, now)
        elif name not in self._names and (event.type != SESSION or conversation.state == "started"):
            if len(self._names) >= MOST_NAMES:
                self._names.clear()
            self._names.add(name)
            self._flow.named = True
            visits = self._flow.visits.hears(name)
            if visits:
                self._arrives(event, visits, now)

    def observe_many(self, coming: Coming) -> None:
        """Takes several; what goes on in a conversation that was counted concerns nobody."""
        names = self._names
        for event, now in coming:
            conversation = event.data.conversation
            if conversation is None or conversation.id not in names or now >= self._closes_at:
                self.observe(event, now)

    def _arrives(self, event: Event, visits: int, now: float) -> None:
        flow = self._flow
        if now - event.time.timestamp() > LATE_S:
            flow.late[flow.minute] = flow.late.get(flow.minute, 0) + visits
            return
        if not flow.count:
            flow.last = _sample(event)
        if flow.room:
            flow.room -= 1
            seen = values(event.data)
            for tally in [each.seen for each in flow.changes.values()] or [flow.others.now]:
                tally.take(seen)
        flow.count += visits

    def _turn(self, now: float) -> None:
        minute = floor(now / MINUTE_S)
        self._tide.turn(minute)
        self._flow.room = COMPARED_A_MINUTE
        self._closes_at = (minute + 1) * MINUTE_S
        self._names.clear()

    @property
    def lacks(self) -> Sequence[str]:
        """Hours, until it is known how few and how many are usual."""
        return short_of(self._flow.seasons.known, FEWEST_HOURS, "hours")

    @property
    def wake_at(self) -> float | None:
        """The end of the open minute, while something holds."""
        return self._closes_at if self._flow.changes else None

    def findings(self, now: float) -> Sequence[Finding]:
        """What holds, as of the last closed minute."""
        if now >= self._closes_at:
            self._turn(now)
        return [changed(kind, change, self._tide) for kind, change in self._flow.changes.items()]

    def rebase(self, now: float) -> None:  # noqa: ARG002 - the protocol's
        """What holds ends, and is normal until what was usual comes again."""
        self._tide.adopt()

    def save(self) -> State:
        """The whole state, about three kilobytes of msgpack."""
        return State(encoded(self._flow))

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        """Continues from a saved state."""
        loaded = cls(watch, options)
        loaded._restore(decoded(cls, state, version, Flow))
        return loaded


def _sample(event: Event) -> Sample:
    data = event.data
    said = ("began with:", data.operation.name, data.agent.version)
    return Sample(
        event=f"{event.source}/{event.id}",
        time=event.time,
        text=" ".join(word for word in said if word),
        conversation=data.conversation.id if data.conversation else None,
        trace=event.traceparent[3:35] if event.traceparent else None,
    )
