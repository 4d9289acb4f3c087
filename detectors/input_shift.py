"""Input shift: an agent's inputs no longer look like those it was validated on.

The reference is the agent's own first inputs, or texts that its team has validated it on. Texts are compared
with it by cheap statistics (wording never seen, rare vocabulary, length, structure), features by the cells of
their values; e-detectors tell when one of them moves. One input of a session in a while, and not above a
rate, is looked at.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import inf
from typing import Any, ClassVar, Self

import msgspec
from msgspec import Struct

from detectors.detector import Coming, Finding, State, short_of
from detectors.durations import duration
from detectors.inputs import (
    admission,
    early_texts,
    embedding_watch,
    feature_watch,
    injection_watch,
    shift_samples,
    text_watch,
)
from detectors.inputs.admission import Admission
from detectors.inputs.bare_texts import TEXTS_APART, TextShift, hashed
from detectors.inputs.early_texts import EarlyTexts
from detectors.inputs.embedding_watch import EmbeddingWatch
from detectors.inputs.feature_watch import FeatureWatch
from detectors.inputs.injection_signs import gives_orders
from detectors.inputs.injection_watch import InjectionWatch
from detectors.inputs.recent_inputs import Who, short
from detectors.inputs.shift_finding import (
    early_finding,
    embedding_finding,
    field_finding,
    injection_finding,
    text_finding,
)
from detectors.inputs.shift_samples import ShiftSamples
from detectors.inputs.text_reading import read
from detectors.inputs.text_watch import TextWatch, basis_of
from detectors.options import number, positive, texts
from detectors.settings import Watch
from schemas.event import Event, Input

__all__ = ["InputShift", "TextShift"]

_FEWEST, _MOST = 50, 20_000
PER_MINUTE, APART_S = 120.0, 300.0
_REFERENCES = 2
"""The version of a state of which the references serve."""

_encode = msgspec.msgpack.encode


class Options(Struct, frozen=True):
    """What a configuration may override.

    For an agent of at most 10,000 inputs in 30 days, `texts_apart`: between two false alarms of its texts, of
    its features and of its embeddings, at least and on average. `per_minute`: inputs looked at in the long
    run; `apart_s`: seconds between two of one session; `redact`: RE2 expressions. `arl` says `texts_apart` as
    a span of time: 30d is the default.
    """

    texts_apart: float = TEXTS_APART
    per_minute: float = PER_MINUTE
    apart_s: float = APART_S
    redact: tuple[str, ...] = ()


class Body(Struct, array_like=True):
    """The moving part of the state."""

    admission: admission.Saved
    text: text_watch.Saved
    features: feature_watch.Saved
    samples: shift_samples.Saved
    injections: injection_watch.Saved
    attempts: shift_samples.Saved
    embeddings: embedding_watch.Saved
    early: early_texts.Saved


_body = msgspec.msgpack.Decoder(Body)


class InputShift:
    """The detector of one agent's inputs: findings `text`, `injection`, `features` (label `feature`)."""

    name: ClassVar[str] = "input_shift"
    version: ClassVar[int] = 3
    warm_up: ClassVar[str] = (
        "the agent's first 2,000 inputs (`reference:`), or at least 300 after seven days, make the reference;"
        " validated texts that are given make it at once"
    )
    quiet_arl_days: ClassVar[float] = 30.0
    watches: ClassVar[frozenset[str]] = frozenset({"agent.operation.v1"})
    takes: ClassVar[frozenset[str]] = frozenset({"arl", *Options.__struct_fields__})

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:
        self._options = _options(options)
        self._size = _size(watch)
        self._admission = Admission(self._options.per_minute, self._options.apart_s)
        self._text = TextWatch(self._size, self._options.texts_apart)
        if watch.validated:
            self._text.follow(watch.validated)
        self._validated = watch.validated
        self._features = FeatureWatch(self._size, self._options.texts_apart)
        self._embeddings = EmbeddingWatch(self._size, self._options.texts_apart)
        self._injections = InjectionWatch(self._size, self._options.texts_apart)
        self._samples, self._attempts, self._early = ShiftSamples(), ShiftSamples(), EarlyTexts()
        self._found: Sequence[Finding] | None = None

    @property
    def lacks(self) -> Sequence[str]:
        """Texts of a reference, where texts come."""
        learnt = self._text.learnt
        return short_of(learnt, self._size, "texts, or seven days of 300") if learnt else ()

    @property
    def wake_at(self) -> float | None:
        """When a shift is given up that no further input shows."""
        ends_at = self._ends_at if self._found is None or self._found else inf
        return None if ends_at == inf else ends_at

    @property
    def _ends_at(self) -> float:
        return min(each.ends_at for each in self._watches)

    @property
    def _watches(self) -> tuple[TextWatch, InjectionWatch, FeatureWatch, EmbeddingWatch]:
        return self._text, self._injections, self._features, self._embeddings

    def observe(self, event: Event, now: float) -> None:
        """Takes one event; those without an input cost next to nothing."""
        given = event.data.input
        if given is not None:
            self._take(event, given, now)

    def observe_many(self, coming: Coming) -> None:
        """Takes several; those without an input cost next to nothing."""
        for event, now in coming:
            given = event.data.input
            if given is not None:
                self._take(event, given, now)

    def _take(self, event: Event, given: Input, now: float) -> None:
        data = event.data
        if data.operation.state == "started" or not (given.text or given.features or given.embedding):
            return
        if now < self._admission.closed_until:
            return
        session = hashed(data.conversation.id if data.conversation else None)
        if self._admission.open_at(session, now) > now:
            return
        self._admission.admit(session, now)
        self._found = None
        user, tenant = data.user, data.tenant
        who = (
            short(session),
            short(hashed(user.id)) if user else 0,
            short(hashed(tenant.id)) if tenant else 0,
        )
        if given.text:
            self._read(event, given.text, who, now)
        if given.features or self._features.holds:
            self._features.take(given.features or {}, who, now)
        if given.embedding or self._embeddings.hold:
            self._embeddings.take(given.embedding or (), who, now)

    def _read(self, event: Event, text: str, who: Who, now: float) -> None:
        patterns, reading = self._options.redact, read(text)
        if not self._text.full:
            self._early.take(now, reading)
        elif self._early.texts:
            self._early = EarlyTexts()
        self._samples.take(event, text, self._text.take(reading, who, now), now, patterns)
        attempts = int(gives_orders(text, reading))
        self._injections.take(now, who, attempts)
        self._attempts.take(event, text, attempts, now, patterns)

    def findings(self, now: float) -> Sequence[Finding]:
        """The shifts that hold; without any input that could show it, one is given up after a day."""
        if self._found is None or self._early.change is not None or (self._found and now >= self._ends_at):
            for each in self._watches:
                if now >= each.ends_at:
                    each.end(now)
            self._found = self._find(now)
        return self._found

    def _find(self, now: float) -> Sequence[Finding]:
        patterns = self._options.redact
        found = [
            *injection_finding(self._injections, self._attempts),
            *early_finding(self._early, now),
            *text_finding(self._text, self._samples, patterns),
            *embedding_finding(self._embeddings),
        ]
        for name, field in self._features.fields():
            found += field_finding(name, field, self._features.recent, patterns)
        return found

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Rates, patterns and other validated texts hold at once, the rest from the next reference on."""
        self._options = _options(options)
        self._found = None
        self._admission.follow(self._options.per_minute, self._options.apart_s)
        self._size = _size(watch)
        for each in self._watches:
            each.size, each.apart = self._size, self._options.texts_apart
        self._validated = watch.validated
        if basis_of(watch.validated) not in {0, self._text.basis}:
            self._text.follow(watch.validated)
            self._samples, self._early = ShiftSamples(), EarlyTexts()

    def rebase(self, now: float) -> None:  # noqa: ARG002 - the next inputs make the reference, whenever they come
        """Learns the reference anew from the next inputs on, also where validated texts were it."""
        options = self._options
        self._text = TextWatch(self._size, options.texts_apart)
        self._text.basis = basis_of(self._validated)
        self._features = FeatureWatch(self._size, options.texts_apart)
        self._embeddings = EmbeddingWatch(self._size, options.texts_apart)
        self._injections = InjectionWatch(self._size, options.texts_apart)
        self._samples, self._attempts, self._early = ShiftSamples(), ShiftSamples(), EarlyTexts()
        self._found = None

    def save(self) -> State:
        """The texts' reference, or what was learnt for it, is a piece of its own."""
        text, parts = self._text.save()
        embeddings, more = self._embeddings.save()
        features, fields = self._features.save()
        body = Body(
            self._admission.save(), text, features, self._samples.save(), self._injections.save(),
            self._attempts.save(), embeddings, self._early.save(),
        )  # fmt: skip
        return State(_encode(body), {**parts, **more, **fields})

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        """Continues from `state`; of version 2 its references serve, of version 1 nothing does."""
        detector = cls(watch, options)
        if version < cls.version:
            if version == _REFERENCES:
                detector._adopt(state)
            return detector
        body, size, own = _body.decode(state.body), detector._size, detector._options
        detector._admission = Admission(own.per_minute, own.apart_s, body.admission)
        detector._text.load(body.text, state.parts)
        detector._features = FeatureWatch(size, own.texts_apart, body.features, state.parts)
        detector._embeddings = EmbeddingWatch(size, own.texts_apart, body.embeddings, state.parts)
        detector._injections = InjectionWatch(size, own.texts_apart, body.injections)
        detector._samples, detector._attempts = ShiftSamples(body.samples), ShiftSamples(body.attempts)
        detector._early = EarlyTexts(body.early)
        detector.configure(watch, options)
        return detector

    def _adopt(self, state: State) -> None:
        """The references of version 2: the moving part counts anew."""
        _, (first, watched), *_, (begun, _, watching), _ = msgspec.msgpack.decode(state.body)
        if watched and not self._text.basis:
            self._text.adopt(first, watched[0], state.parts["text-reference"])
        if watching:
            self._embeddings.adopt(begun, watching[0], state.parts["embedding-reference"])


def _options(given: Mapping[str, Any]) -> Options:
    """Raises ValueError where an option does not hold."""
    texts_apart = given.get("texts_apart", TEXTS_APART)
    if "arl" in given:
        if "texts_apart" in given:
            raise ValueError("expected arl or texts_apart, found both: they say the same")
        days = duration(given["arl"]) / timedelta(days=1)
        texts_apart = TEXTS_APART * days / InputShift.quiet_arl_days
    return Options(
        texts_apart=positive(texts_apart),
        per_minute=positive(given.get("per_minute", PER_MINUTE)),
        apart_s=number(given.get("apart_s", APART_S)),
        redact=texts(given, "redact"),
    )


def _size(watch: Watch) -> int:
    return max(_FEWEST, min(_MOST, watch.reference))
