"""Input shift: an agent's inputs no longer look like those it was validated on.

The reference is the agent's own first inputs. Texts are compared with it by cheap statistics (wording never
seen, rare vocabulary, length, structure), features by their ranks and values; River's ADWIN tells when one of
them moves. One input of a session in a while, and not above a rate, is looked at.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self
from zlib import crc32

import msgspec
from msgspec import Struct

from detectors.detector import Finding, State
from detectors.inputs import feature_watch, text_watch
from detectors.inputs.admission import MOST_SESSIONS, Admission
from detectors.inputs.feature_watch import FeatureWatch
from detectors.inputs.shift_finding import Shift, field_finding, text_finding
from detectors.inputs.shift_samples import ShiftSamples
from detectors.inputs.text_watch import TextWatch
from detectors.settings import Watch
from schemas.event import Event, Input
from schemas.signal import Sample

_FEWEST, _MOST = 50, 20_000
DELTA = 0.1
TEXTS_APART = 8_000.0
_EACH_S = 259.2
"""Bare texts are taken to come at 10,000 in 30 days."""
_APART = 1024

_encode = msgspec.msgpack.encode


class Options(Struct, frozen=True):
    """What a configuration may override.

    For an agent of at most 10,000 inputs in 30 days, `texts_apart`: between two false alarms, at least and on
    average; `delta`: of each ADWIN on features, in (0, 1). `per_minute`: inputs
    looked at in the long run; `apart_s`: seconds between two of one session; `redact`: RE2 expressions.
    """

    texts_apart: float = TEXTS_APART
    delta: float = DELTA
    per_minute: float = 120.0
    apart_s: float = 300.0
    redact: tuple[str, ...] = ()


class Body(Struct, array_like=True):
    """The moving part of the state."""

    admission: Admission
    text: text_watch.Saved
    features: feature_watch.Saved
    samples: list[tuple[float, Sample]]
    spacing: int


_body = msgspec.msgpack.Decoder(Body)


class InputShift:
    """The detector of one agent's inputs: findings `text`, and `features` with the label `feature`."""

    name: ClassVar[str] = "input_shift"
    version: ClassVar[int] = 1
    warm_up: ClassVar[str] = (
        "the agent's first 2,000 inputs (`reference:`), or at least 300 after seven days, make the reference"
    )
    quiet_arl_days: ClassVar[float] = 30.0
    watches: ClassVar[frozenset[str]] = frozenset({"agent.operation.v1"})

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:
        self._options = _options(options)
        self._size = _size(watch)
        self._admission = Admission(self._options.per_minute, self._options.apart_s)
        self._text = TextWatch(self._size, self._options.texts_apart)
        self._features = FeatureWatch(self._size, self._options.delta)
        self._samples = ShiftSamples()
        self._found: Sequence[Finding] | None = None

    @property
    def wake_at(self) -> float | None:
        """Nothing changes without an input."""
        return None

    def observe(self, event: Event, now: float) -> None:
        """Takes one event; those without an input cost next to nothing."""
        given = event.data.input
        if given is not None:
            self._take(event, given, now)

    def _take(self, event: Event, given: Input, now: float) -> None:
        data = event.data
        if data.operation.state == "started" or not (given.text or given.features):
            return
        if now < self._admission.closed_until:
            return
        session = _hash(data.conversation.id if data.conversation else None)
        if self._admission.open_at(session, now) > now:
            return
        self._admission.admit(session, now)
        self._found = None
        who = (
            session,
            _hash(data.user.id if data.user else None),
            _hash(data.tenant.id if data.tenant else None),
        )
        if given.text:
            out = self._text.take(given.text, who, now)
            self._samples.take(event, given.text, out, now, self._options.redact)
        if given.features:
            self._features.take(given.features, who, now)

    def findings(self, now: float) -> Sequence[Finding]:  # noqa: ARG002 - what holds changes with inputs alone
        """The shifts that hold."""
        if self._found is None:
            self._found = self._find()
        return self._found

    def _find(self) -> Sequence[Finding]:
        patterns = self._options.redact
        found = [*text_finding(self._text, self._samples, patterns)]
        for name, field in self._features.fields():
            found += field_finding(name, field, patterns)
        return found

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Rates and patterns hold at once, `delta` and the reference's size from the next reference on."""
        self._options = _options(options)
        self._found = None
        self._admission.follow(self._options.per_minute, self._options.apart_s)
        self._size = _size(watch)
        self._text.size, self._text.apart = self._size, self._options.texts_apart
        self._features.size, self._features.delta = self._size, self._options.delta

    def rebase(self, now: float) -> None:  # noqa: ARG002 - the next inputs make the reference, whenever they come
        """Learns the reference anew from the next inputs on."""
        self._text = TextWatch(self._size, self._options.texts_apart)
        self._features = FeatureWatch(self._size, self._options.delta)
        self._samples = ShiftSamples()
        self._found = None

    def save(self) -> State:
        """The texts' reference, or what was learnt for it, is a piece of its own."""
        text, parts = self._text.save()
        samples = self._samples
        body = Body(self._admission, text, self._features.save(), samples.kept, samples.spacing)
        return State(_encode(body), parts)

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:  # noqa: ARG003 - one so far
        """Continues from `state`."""
        body = _body.decode(state.body)
        detector = cls(watch, options)
        detector._admission = body.admission
        detector._text.load(body.text, state.parts)
        detector._features = FeatureWatch(detector._size, detector._options.delta, body.features)
        detector._samples = ShiftSamples(body.samples, body.spacing)
        detector.configure(watch, options)
        return detector


class TextShift:
    """The same on bare texts, without events and time: for judges and notebooks.

    `reference`: at least one text. `seed` is not used: nothing here is random.
    """

    def __init__(self, reference: Sequence[str], seed: int = 0) -> None:
        self.seed = seed
        self._fresh = TextWatch(len(reference), TEXTS_APART)
        for at, text in enumerate(reference):
            self._fresh.take(text, (0, 0, 0), at * _EACH_S)
        self.reset()

    def update(self, text: str, session: str | None = None) -> Shift | None:
        """Takes one text; returns the shift when it is found. Of a session one text in 1,024 is looked at."""
        self._seen += 1
        if session is not None and not self._admits(session):
            return None
        before = self._watch.hold
        self._watch.take(text, (_hash(session), 0, 0), self._seen * _EACH_S)
        return Shift.of(self._watch) if before is None else None

    def _admits(self, session: str) -> bool:
        last = self._sessions.get(session)
        if last is not None and self._seen - last < _APART:
            return False
        self._sessions.pop(session, None)
        self._sessions[session] = self._seen
        if len(self._sessions) > MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        return True

    def reset(self) -> None:
        """Back to the state just after the reference."""
        self._seen = self._fresh.size
        self._sessions: dict[str, int] = {}
        saved, parts = self._fresh.save()
        self._watch = TextWatch(self._fresh.size, self._fresh.apart)
        self._watch.load(saved, parts)


def _options(given: Mapping[str, Any]) -> Options:
    """Raises ValueError where an option does not hold."""
    return msgspec.convert(dict(given), Options, strict=False)


def _size(watch: Watch) -> int:
    return max(_FEWEST, min(_MOST, watch.reference))


def _hash(name: str | None) -> int:
    """32 bits, 0 for no name."""
    return crc32(name.encode("utf-8", "surrogatepass")) if name else 0
