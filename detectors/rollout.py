"""Canary against control: worse, fit to go on, not comparable, or nothing to tell yet.

A comparison begins with the first session of a canary's release and goes on until the rollout is over. What
is compared and why it may be looked at any time is in `detectors/rollouts/`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import msgspec
from msgspec import Struct, field

from detectors.dense import encoded
from detectors.detector import Coming, State, Unworded, decoded
from detectors.failures.affected import sample_of
from detectors.options import texts
from detectors.rollouts.comparison import Comparison
from detectors.rollouts.met import Met
from detectors.rollouts.packed import Packed, pack, rounded, unpack
from detectors.rollouts.plan import OPTIONS, plan_of
from detectors.rollouts.rollout_finding import found
from detectors.rollouts.sessions import METRICS, Session, Sessions, key_of
from detectors.rollouts.telling import Telling
from detectors.rollouts.trial import GIVEN_UP_S, MOST_SAMPLES, Trial
from detectors.rollouts.verdict import Verdict
from detectors.settings import Watch
from schemas.event import Data, Event, Release
from schemas.wire import moment

__all__ = ["Comparison", "Rollout", "Verdict"]

RELEASE = "agent.release.v1"
MOST_BYTES = 50_000
"""What the state holds at most; a tenth of it in the usual rollout."""
LONGEST, LONGEST_STRATUM = 64, 48


class Remembered(Struct, array_like=True):
    """The whole state. `compared`: the comparison's own, absent while nothing is compared."""

    trial: Trial = field(default_factory=Trial)
    sessions: Packed | None = None
    compared: bytes | None = None
    step: float | None = None
    met: Met = field(default_factory=Met)
    telling: Telling = field(default_factory=Telling)


class First(Struct, array_like=True):
    """What the first version kept; its sessions and its comparison are not continued."""

    trial: Trial


class Rollout:
    """Findings `worse` (roll back), `invalid`, `no_control`, `unbalanced` (hold), `ready` (promote), `hold`.

    Metrics by session: lost sessions, sessions with a failed tool call, cost, duration, tokens, evaluations.
    Options: `alpha`, the chance of ever calling a canary worse that equals control (default 0.01);
    `maturity`, how long after its begin a session is scored (default 15m); `margins`, what is still no worse
    by metric (odds ratio 1.5, ratio 1.1); `strata`, of tenant, operation, model and attributes, where the
    release names no stratum; `steps` of the ramp and `min_time` of each, which `ready` keeps to; `unit`, what
    the router draws (`session`, `user`); `redact`, further patterns.
    """

    name: ClassVar[str] = "rollout"
    version: ClassVar[int] = 2
    warm_up: ClassVar[str] = (
        "None: control is compared with while the canary runs, from its first session on."
    )
    quiet_arl_days: ClassVar[float] = 100.0
    watches: ClassVar[frozenset[str]] = frozenset(
        {"agent.operation.v1", "agent.session.v1", "agent.evaluation.v1", RELEASE}
    )
    takes: ClassVar[frozenset[str]] = frozenset({*OPTIONS, "redact"})
    outlives_s: ClassVar[float] = GIVEN_UP_S + 120.0

    __slots__ = ("_compared", "_met", "_patterns", "_plan", "_sessions", "_step", "_telling", "_trial")

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Raises ValueError where an option does not hold."""
        self.configure(watch, options)
        self._restore(Remembered())

    def _restore(self, state: Remembered) -> None:
        self._trial, self._sessions, self._step = state.trial, _sessions(state), state.step
        self._met, self._telling = state.met, state.telling
        self._compared = None if state.compared is None else Comparison.load(state.compared)

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol's
        """Follows other options; a comparison that goes on keeps its level and its margins."""
        self._plan = plan_of(options)
        self._patterns: Sequence[str] = texts(options, "redact")
        if options:
            self._comparison(None)  # to see that they hold

    def _comparison(self, share: float | None) -> Comparison:
        """What agents need not tell is optional."""
        optional = METRICS.keys() - {"sessions"}
        return Comparison(METRICS, share, self._plan.alpha, margins=self._plan.margins, optional=optional)

    def observe(self, event: Event, now: float) -> None:
        """Takes one event: sessions of both arms while a canary runs, and steps of the rollout."""
        data = event.data
        release = data.release
        if event.type == RELEASE:
            if release is not None and release.share is not None:
                self._stepped(release.id or data.agent.version or "", release.share, now)
            return
        cohort = None if release is None else release.cohort
        if not self._trial.release and cohort != "canary":
            return
        self._trial.hear(now)
        conversation = data.conversation
        if conversation is not None and conversation.id:
            self._seen(event, key_of(conversation.id), now)

    def observe_many(self, coming: Coming) -> None:
        """Takes several; while nothing is rolled out, most concern nobody."""
        for event, now in coming:
            release = event.data.release
            if self._trial.release or (
                release is not None and (release.cohort == "canary" or event.type == RELEASE)
            ):
                self.observe(event, now)

    def _seen(self, event: Event, key: int, now: float) -> None:
        """An event of a session of whatever arm."""
        sessions, trial = self._sessions, self._trial
        session = sessions.open.get(key)
        if session is None:
            release = event.data.release
            if release is None or not self._concerns(event.data, release, now):
                return
            session = self._begun(event, release, key, now)
            if session is None:
                return
            sessions = self._sessions
        sessions.take(session, event, now)
        if event.data.error is None:
            return
        self._telling.fail(event, canary=session.canary)
        if session.canary and len(trial.samples) < MOST_SAMPLES:
            trial.samples = [*trial.samples, sample_of(event, self._patterns)]

    def _concerns(self, data: Data, release: Release, now: float) -> bool:
        """Whether an event is of an arm; one of a canary that is new begins a comparison."""
        if release.cohort != "canary":
            return release.cohort == "control"
        name = (release.id or data.agent.version or "(unnamed)")[:LONGEST]
        trial = self._trial
        if name != trial.release:
            if name in trial.done:
                return False
            trial.start(name, now)
            self._sessions, self._met, self._telling = Sessions(), Met(), Telling()
            self._compared = self._comparison(trial.share)
            self._step = trial.share
        return True

    def _begun(self, event: Event, release: Release, key: int, now: float) -> Session | None:
        """A session that begins with this event, if it does.

        One that ran before the comparison is not known whole: until those are over only starts count. Of an
        agent that tells none, the sessions that are seen meanwhile are left out, of either arm alike.
        """
        data, trial = event.data, self._trial
        state = data.conversation.state if data.conversation is not None else None
        canary = release.cohort == "canary"
        if state != "started" and now - trial.began < self._plan.ripe_s:
            if not self._sessions.starts:
                self._sessions.leave_out(key)
            return None
        stratum = release.stratum or self._plan.stratum(data)
        session = Session(now, canary, trial.share)
        begun = self._sessions.admit(key, session, stratum[:LONGEST_STRATUM], event)
        if begun is None:
            return None
        counts = self._counts(key, data)
        trial.came(now, canary=canary, counts=counts)
        return begun if counts else None

    def _counts(self, key: int, data: Data) -> bool:
        """Whether a session that begins is a unit of its own: of a user, only the first of a step is."""
        user = data.user.id if data.user is not None else None
        if self._plan.unit == "session" or not user or self._met.meets(user):
            return True
        self._sessions.leave_out(key)
        return False

    def _stepped(self, release: str, share: float, now: float) -> None:
        """The router gives the canary another share; none, or all, ends the rollout."""
        trial = self._trial
        name = release[:LONGEST]
        if trial.release and name in {"", trial.release}:
            if 0 < share < 1:
                if trial.step(rounded(share), now):
                    self._met = Met()
            else:
                self._finish()
        elif 0 < share < 1:
            trial.announce(name, rounded(share))

    def _finish(self) -> None:
        self._trial.finish()
        self._sessions, self._compared = Sessions(), None
        self._met, self._telling = Met(), Telling()

    @property
    def wake_at(self) -> float | None:
        """When the oldest open session is ripe, or a rollout may be over."""
        if not self._trial.release:
            return None
        oldest = next(iter(self._sessions.open.values()), None)
        return self._trial.over_at if oldest is None else oldest.began + self._plan.ripe_s

    def findings(self, now: float) -> Sequence[Unworded]:
        """What holds of the rollout."""
        trial, compared = self._trial, self._compared
        if compared is None:
            return ()
        for session in self._sessions.ripe(now - self._plan.ripe_s):
            self._score(compared, session)
        trial.match(compared.mix.unmatched, now)
        trial.settle(compared.verdict.state, now)
        if not trial.release:
            self._finish()
            return ()
        told = found(trial, compared, self._plan, self._telling, now)
        return () if told is None else (told,)

    def _score(self, compared: Comparison, session: Session) -> None:
        if session.share != self._step:
            compared.step(session.share)
            self._step = session.share
        values = session.values(self._plan.ripe_s, ends=self._sessions.ends)
        if session.canary:
            self._telling.score(session.began, values)
        compared.observe(
            moment(session.began),
            "canary" if session.canary else "control",
            self._sessions.strata[session.stratum],
            values,
            schema=self._sessions.schema(session),
            lacking=self._sessions.usual.lacking(session, ends=self._sessions.ends),
        )

    def rebase(self, now: float) -> None:
        """This canary is the new normal: it is compared no more."""
        del now
        self._finish()

    def let_go(self) -> None:
        """No session that began is compared."""
        self._sessions.open = {}

    def save(self) -> State:
        """The whole state."""
        compared = None if self._compared is None else self._compared.save()
        sessions = None if self._compared is None else pack(self._sessions)
        state = Remembered(self._trial, sessions, compared, self._step, self._met, self._telling)
        return State(encoded(state))

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        """Continues from a saved state; after one of the first version the comparison begins anew."""
        loaded = cls(watch, options)
        if version == 1:
            trial = msgspec.msgpack.decode(state.body, type=First).trial
            name, share = trial.release, trial.share
            trial.finish()
            trial.done = [each for each in trial.done if each != name]
            if name and share is not None:
                trial.announce(name, share)
            loaded._restore(Remembered(trial))
        else:
            loaded._restore(decoded(cls, state, version, Remembered))
        return loaded


def _sessions(state: Remembered) -> Sessions:
    return Sessions() if state.sessions is None else unpack(state.sessions)
