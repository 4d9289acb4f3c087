"""A decision in the making: what it may look at, and what it has said so far."""

from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct

from routing.incidents.incident import Case
from routing.incidents.state import State
from routing.policy import Policy, Route
from schemas.record import Output, Stream
from schemas.signal import Words


class Routed(NamedTuple):
    """What a decision gives: the state after it, and the outputs in their order."""

    state: State
    outputs: list[Output]


class Complaint(Words, frozen=True):
    """Something that routing could not do as it was told; it goes to the dead letters, where owners look."""

    reason: str
    about: str
    at: datetime


class Turn:
    """One step of the router at the instant `now`: one cause, or one timer.

    `until`: what time it is with the cause for which timers fire, late where nothing came for a while.
    """

    def __init__(
        self,
        state: State,
        policy: Policy,
        now: datetime,
        outputs: list[Output],
        until: datetime | None = None,
    ) -> None:
        self.state = state
        self.policy = policy
        self.now = now
        self.until = until or now
        self.outputs = outputs
        self.news: dict[str, Case] = {}
        """Incidents whose published state changed."""

    def emit(self, stream: Stream, key: str, value: Struct) -> None:
        """Says something."""
        self.outputs.append(Output(stream, key, value, self.now.timestamp()))

    def complain(self, reason: str, about: str) -> None:
        """Says that something could not be done."""
        self.emit("deadletter", about, Complaint(reason=reason, about=about, at=self.now))

    def changed(self, case: Case) -> None:
        """Notes that an incident changed in what others see of it."""
        self.news[case.id] = case
        self.state.touch(case)

    def arm(self, case: Case, name: str, wait: timedelta) -> None:
        """Sets a timer that is due after `wait`."""
        self.arm_at(case, name, self.now + wait)

    def arm_at(self, case: Case, name: str, due: datetime) -> None:
        """Sets a timer that is due at an instant."""
        self.state.timers.arm(case, name, due)
        self.state.touch(case)

    def disarm(self, case: Case, name: str) -> None:
        """Takes a timer away, if it is set."""
        self.state.timers.disarm(case, name)
        self.state.touch(case)

    def route(self, case: Case) -> Route:
        """The incident's route; the root where the policy no longer has it."""
        return self.state.route(self.policy, case) or self.policy.route
