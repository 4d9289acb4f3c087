"""The protocol of a detector.

A new detector is one new file in this package: a module whose name is the detector's, with one public class
that has this shape. The bank finds it by itself.

Time is an argument: `now` is POSIX seconds of event time, never decreasing. Detectors are level-triggered:
`findings(now)` says all that holds at `now`; the bank opens, re-asserts and resolves signals from it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self, TypeVar, runtime_checkable

from msgspec import Struct

from detectors import dense
from detectors.settings import Watch
from schemas.event import Event
from schemas.signal import Blast, Contributor, Sample

Kept = TypeVar("Kept")
Coming = Iterator[tuple[Event, float]]
"""Events that come one after the other, each with its `now`."""
Showing = Callable[[Coming], None]

STALE_S = 900.0
"""Without any event of its agent for this long nothing holds any more that a detector has found, unless …"""


class Finding(Struct, frozen=True, kw_only=True):
    """Something that holds now. The fields mean what they mean in `schemas.signal.Signal`.

    `labels` are what tells this finding from others of the same kind (tool, model, …), few and bounded; the
    bank adds `agent`, `detector`, `finding` and `env`. `onset`: POSIX seconds since when, not changing while
    it holds. `opens`: whether it is told where it was not; else what is told of it already goes on.
    """

    finding: str
    onset: float
    summary: str
    labels: Mapping[str, str] = {}
    observed: float | None = None
    baseline: float | None = None
    unit: str = ""
    magnitude: float | None = None
    magnitude_unit: str = ""
    confidence: float = 1.0
    trend: str = ""
    burn_rates: Mapping[str, float] = {}
    exhausted_in_s: float | None = None
    blast: Blast = Blast()
    contributors: Sequence[Contributor] = ()
    samples: Sequence[Sample] = ()
    history: Sequence[float] = ()
    opens: bool = True

    def told(self) -> "Finding":
        """Itself."""
        return self


class Unworded(Struct, frozen=True, kw_only=True):
    """A finding whose wording costs: it is put into words only when it is told, once a minute at most.

    `words` makes the whole of it, as of when it was returned, and is called at once or never.
    """

    finding: str
    onset: float
    words: Callable[[], Finding]
    labels: Mapping[str, str] = {}
    opens: bool = True

    def told(self) -> Finding:
        """The finding in words."""
        return self.words()


class State(Struct, frozen=True):
    """A detector's state: `body`, the moving part, and `parts`, large pieces that seldom change."""

    body: bytes
    parts: Mapping[str, bytes] = {}


@runtime_checkable
class Detector(Protocol):
    """One online detector of one agent's events. Laws in `tests/detectors/test_laws.py` hold for every one.

    Class constants: `name` (its file's name), `version` of its state's format, `warm_up` (one sentence: what
    it needs before it can speak), `quiet_arl_days` (days between false findings it is built for), `watches`
    (the types of events that concern it; it is shown no others), `takes` (the options that it has, beside
    `enabled`, which all have). One whose findings are about silence also has `outlives_s`, see `outlives`.

    `observe_many(coming)`, where there is one, takes several events as `observe` would take one after the
    other. It is how the bank shows them: no point of its grid lies between them.

    `unheard(labels, at)`, where there is one, says of a finding that ended at `at`, by its signal's labels,
    whether it did so only because nothing came any more of what it is about: it is then stale.

    `lacks`, where there is one, says what it has not yet seen enough of to speak of: see `short_of`.

    `let_go()`, where there is one, waits no more for the end of what has begun: a copy that a fire drill is
    shown to does not see it.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    warm_up: ClassVar[str]
    quiet_arl_days: ClassVar[float]
    watches: ClassVar[frozenset[str]]
    takes: ClassVar[frozenset[str]]

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """`options`: the overrides of this detector in the configuration."""
        ...

    @property
    def wake_at(self) -> float | None:
        """POSIX seconds at which `findings` may change though no event comes, or None."""
        ...

    def observe(self, event: Event, now: float) -> None:
        """Takes one event. The hot path: about a microsecond."""
        ...

    def findings(self, now: float) -> Sequence[Finding | Unworded]:
        """All that holds at `now`; asked on a grid of event time, while events come or something holds."""
        ...

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Follows other settings from here on; what was learnt stays."""
        ...

    def rebase(self, now: float) -> None:
        """Takes this for the new normal: learns its baseline anew; what holds now ends."""
        ...

    def save(self) -> State:
        """The whole state; `load` of it continues exactly here."""
        ...

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        """A detector that continues from `state`, written by this or an older `version`."""
        ...


def outlives(detector: Detector | type[Detector]) -> float:
    """For how long after its agent's last event a detector is asked, in seconds: its `outlives_s`, if any."""
    return float(getattr(detector, "outlives_s", STALE_S))


def lacking(detector: Detector) -> Sequence[str]:
    """What a detector has not yet seen enough of, in words, and is silent of for it. None: it is warm."""
    lacks: Sequence[str] = getattr(detector, "lacks", ())
    return lacks


def short_of(seen: float, needed: int, what: str) -> tuple[str, ...]:
    """What is lacking, with how much there is.

    >>> short_of(3, 2000, "inputs"), short_of(2000, 2000, "inputs")
    (('3 of 2,000 inputs',), ())
    """
    return () if seen >= needed else (f"{int(seen):,} of {needed:,} {what}",)


def showing(detector: Detector) -> Showing:
    """How several events are shown to a detector: by its `observe_many`, or one by one."""
    many: Showing | None = getattr(detector, "observe_many", None)
    if many is not None:
        return many
    observe = detector.observe

    def each(coming: Coming) -> None:
        for event, now in coming:
            observe(event, now)

    return each


def decoded(kind: type[Detector], state: State, version: int, shape: type[Kept]) -> Kept:
    """What a detector without older versions keeps, from its state's body.

    Raises:
        ValueError: another version wrote it.
    """
    if version != kind.version:
        raise ValueError(f"state of {kind.name} has version {version}, this is {kind.version}")
    return dense.decoded(state.body, shape)
