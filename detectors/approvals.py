"""Human oversight itself: requests that wait or expire, approvals given unread, operations without any."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from msgspec import Struct, field

from detectors.boundaries.parties import short
from detectors.consents.approvers import MOST_APPROVERS, OTHER, Approver
from detectors.consents.digests import digest_of
from detectors.consents.earlier import migrated
from detectors.consents.queue import HIGH, Queue
from detectors.consents.unapproved import GRANTED, REFUSED, Consents
from detectors.dense import encoded
from detectors.detector import Coming, Finding, State, decoded
from detectors.durations import duration
from detectors.options import truth
from detectors.settings import Watch
from schemas.event import Approval, Event

LEAST_WAIT = "30m"
CRITICAL = "critical"
GRANTING = frozenset({"approved", "modified"})


class Remembered(Struct, array_like=True):
    """The whole state. `approvers` are in order of their last approval."""

    queue: Queue = field(default_factory=Queue)
    approvers: dict[str, Approver] = {}
    consents: Consents = field(default_factory=Consents)


class Approvals:
    """Findings `waiting`, `expiring`, `unapproved`, `unasked`, and `bulk` and `instant` (label `approver`).

    Options: `wait`, how long a request may always wait (default 30m); `required`, `true` where operations of
    high consequence need an approval although none was ever seen, `false` where nobody need be asked: else it
    is told of critical agents that nobody ever was.
    """

    name: ClassVar[str] = "approvals"
    version: ClassVar[int] = 2
    warm_up: ClassVar[str] = "None; how long requests usually wait is known after twenty answers."
    quiet_arl_days: ClassVar[float] = 30.0
    watches: ClassVar[frozenset[str]] = frozenset({"agent.operation.v1", "agent.approval.v1"})
    takes: ClassVar[frozenset[str]] = frozenset({"wait", "required"})
    outlives_s: ClassVar[float] = 86400.0

    __slots__ = ("_is_critical", "_least_s", "_required", "_state")

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Raises ValueError where an option does not hold."""
        self._state = Remembered()
        self.configure(watch, options)

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Follows other options; what was learnt stays."""
        self._least_s = duration(options.get("wait", LEAST_WAIT)).total_seconds()
        self._required = truth(options, "required")
        self._is_critical = watch.consequence == CRITICAL and "required" not in options
        self._expect()

    def _expect(self) -> None:
        consents = self._state.consents
        if self._required:
            consents.expect()
        elif not (consents.known or self._is_critical):
            consents.breach = None

    def observe(self, event: Event, now: float) -> None:
        """Takes one event: approvals, and operations of high consequence."""
        data = event.data
        approval, operation = data.approval, data.operation
        if approval is not None:
            self._approval(event, approval, now)
        if operation.consequence not in HIGH or event.type != "agent.operation.v1":
            return
        consents = self._state.consents
        heeded = consents.known or (self._is_critical and not consents.accepted)
        if heeded and data.error is None and operation.state != "started":
            consents.operate(event, _session(event), now)

    def observe_many(self, coming: Coming) -> None:
        """Takes several; most concern nobody."""
        for event, now in coming:
            data = event.data
            if data.operation.consequence is not None or data.approval is not None:
                self.observe(event, now)

    def _approval(self, event: Event, approval: Approval, now: float) -> None:
        """What an approval says; nothing, where it has no state."""
        state, session = approval.state, _session(event)
        name = digest_of(approval.id) if approval.id else session or digest_of(event.id)
        if state == "requested":
            self._state.queue.ask(name, session, event, now)
            self._state.consents.ask(session, now)
            return
        if state is None:
            return
        if state == "auto":
            # A policy may approve what can be taken back, not what cannot and is of high consequence.
            level = approval.consequence or event.data.operation.consequence
            if level not in HIGH or approval.reversible is not False:
                self._state.consents.decide(session, GRANTED, now)
            return
        wait, kind = self._state.queue.answer(name, now, approval.wait, float(state == "expired"))
        self._state.consents.decide(session, GRANTED if state in GRANTING else REFUSED, now)
        if state == "approved":
            self._approver(approval.approver).approve(now, wait, event, kind)

    def _approver(self, name: str | None) -> Approver:
        """Whoever approved; the one untouched for longest gives its place."""
        approvers, known = self._state.approvers, short(name or OTHER)
        found = approvers.pop(known, None) or Approver()
        if len(approvers) >= MOST_APPROVERS:
            del approvers[next(iter(approvers))]
        approvers[known] = found
        return found

    @property
    def wake_at(self) -> float | None:
        """When the oldest request will have waited too long."""
        return self._state.queue.due(self._least_s)

    def findings(self, now: float) -> Sequence[Finding]:
        """What holds."""
        state = self._state
        queue, consents = state.queue, state.consents
        if not queue.waiting and not queue.decided and consents.breach is None:
            return ()
        queue.settle(now, self._least_s)
        consents.settle(now)
        found = [*queue.findings(now, self._least_s), *consents.findings(now)]
        for name, approver in state.approvers.items():
            if approver.bulk is not None or approver.instant is not None:
                approver.settle(now)
                found += approver.findings(name, now, queue.kinds)
        return found

    def rebase(self, now: float) -> None:  # noqa: ARG002 - the protocol's
        """What holds is normal: it ends, and what waits is waited for no more."""
        consents = self._state.consents
        accepted = consents.accepted or consents.known or consents.breach is not None
        self._state = Remembered(consents=Consents(known=self._required, accepted=accepted))

    def let_go(self) -> None:
        """No request that was made is waited for."""
        self._state.queue.waiting = {}

    def save(self) -> State:
        """The whole state, some kilobytes of msgpack, 38 at its caps."""
        return State(encoded(self._state))

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        """Continues from a saved state."""
        loaded = cls(watch, options)
        loaded._state = decoded(cls, *migrated(state, version), Remembered)
        loaded._expect()
        return loaded


def _session(event: Event) -> int:
    """The digest of the event's session, 0 where it names none."""
    conversation = event.data.conversation
    return digest_of(conversation.id) if conversation is not None and conversation.id else 0
