"""Findings of a shift in inputs, in words that a person understands."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from msgspec import Struct

from detectors.detector import Finding
from detectors.inputs.category_cells import NEW
from detectors.inputs.early_texts import EarlyTexts
from detectors.inputs.embedding_watch import EmbeddingWatch
from detectors.inputs.field_watch import FieldWatch
from detectors.inputs.holding import Hold
from detectors.inputs.injection_watch import InjectionWatch
from detectors.inputs.languages import told_by
from detectors.inputs.recent_inputs import RecentInputs
from detectors.inputs.shift_samples import ShiftSamples
from detectors.inputs.shift_story import Story
from detectors.inputs.text_watch import MOST_TERMS, TextWatch
from detectors.redaction import redact
from detectors.saying import counted
from schemas.signal import Contributor, Sample

_NAMED = 5
_TERMS = 30
"""That may tell a language."""
_NEVER = 0.01
"""Share of inputs, or characters: what is less before a change counts as this."""
_EARLY = 0.9
"""Confidence without a reference: nothing weighs the change further."""
_SHARES = "share of inputs"


class Shift(Struct, frozen=True):
    """What moved, of bare texts. `share`: of texts affected, at least; `terms`: which moved most, first."""

    what: str
    observed: float
    baseline: float
    unit: str
    share: float
    terms: tuple[str, ...]
    contributors: tuple[Contributor, ...]

    @classmethod
    def of(cls, watch: TextWatch) -> Self | None:
        """The shift that holds."""
        story = watch.story()
        if story is None:
            return None
        terms = watch.terms(())
        told = story.told
        names = tuple(each.value for each in terms)
        return cls(told.what, story.observed, told.usual, told.unit, story.blast.share, names, terms)


def text_finding(watch: TextWatch, samples: ShiftSamples, patterns: Sequence[str]) -> Iterator[Finding]:
    """The finding `text`, if a shift of the texts holds."""
    hold, story = watch.hold, watch.story()
    if hold is None or story is None:
        return
    terms = watch.terms(patterns, _TERMS)
    language = told_by([each.value for each in terms if each.lift > 1])
    named = f"{f'; in {language}' if language else ''}{_named(terms[:MOST_TERMS])}"
    words = f"Inputs are unlike the reference: {_moved(story)}{named}"
    shown = samples.since(hold.onset)
    yield _finding("text", hold, story, words, contributors=terms[:MOST_TERMS], samples=shown)


def early_finding(early: EarlyTexts, now: float) -> Iterator[Finding]:
    """The finding `text`, if texts changed lately before there was a reference."""
    change = early.told(now)
    if change is None:
        return
    told = f"{change.observed:.3g} {change.unit} against {change.usual:.3g}"
    ratio = change.observed / max(change.usual, _NEVER)
    yield Finding(
        finding="text",
        onset=change.time,
        summary=f"Inputs changed while their reference is being learnt: {change.what}, {told}",
        observed=round(change.observed, 4),
        baseline=round(change.usual, 4),
        unit=change.unit,
        magnitude=round(ratio, 2),
        magnitude_unit="ratio",
        confidence=_EARLY,
    )


def injection_finding(watch: InjectionWatch, samples: ShiftSamples) -> Iterator[Finding]:
    """The finding `injection`, if a burst of attempts holds. `samples`: of attempts."""
    hold, story = watch.hold, watch.story()
    if hold is None or story is None:
        return
    sessions = story.blast.sessions
    where = f", in {counted(sessions, 'session')}" if sessions else ""
    words = (
        f"Inputs try to give the agent other orders: {story.observed:.1%} of them against "
        f"{story.told.usual:.1%}{where}"
    )
    yield _finding("injection", hold, story, words, samples=samples.since(hold.onset))


def embedding_finding(watch: EmbeddingWatch) -> Iterator[Finding]:
    """The finding `features` of the embeddings, if their shift holds."""
    hold, story = watch.hold, watch.story()
    if hold is not None and story is not None:
        words = f"Embeddings of inputs are unlike the reference: {_moved(story)}"
        yield _finding("features", hold, story, words, labels={"feature": "embedding"})


def field_finding(
    name: str, field: FieldWatch, recent: RecentInputs, patterns: Sequence[str]
) -> Iterator[Finding]:
    """The finding `features` of one field, if its shift holds; `recent`: the values of all fields."""
    hold, story = field.hold, field.story(recent)
    if hold is None or story is None:
        return
    shown = redact(name, patterns)
    what = redact(story.told.what, patterns)
    new = f": {redact(', '.join(field.new), patterns)}" if story.told.what == NEW else ""
    words = f"Feature {shown} is unlike the reference: {_moved(story, what)}{new}"
    yield _finding("features", hold, story, words, labels={"feature": shown})


def _finding(
    kind: str,
    hold: Hold,
    story: Story,
    summary: str,
    *,
    labels: Mapping[str, str] | None = None,
    contributors: Sequence[Contributor] = (),
    samples: Sequence[Sample] = (),
) -> Finding:
    ratio = story.ratio
    return Finding(
        finding=kind,
        onset=hold.onset,
        summary=summary,
        labels=labels or {},
        observed=round(story.observed, 4),
        baseline=round(story.told.usual, 4),
        unit=story.told.unit,
        magnitude=None if ratio is None else round(ratio, 2),
        magnitude_unit="" if ratio is None else "ratio",
        confidence=round(hold.confidence, 2),
        trend=story.trend,
        blast=story.blast,
        contributors=contributors,
        samples=samples,
        history=story.history,
    )


def _moved(story: Story, what: str = "") -> str:
    told = story.told
    affected = f"about {story.blast.share:.0%} affected; {what or told.what}"
    if told.unit == _SHARES:
        return f"{affected} in {story.observed:.1%} of them against {told.usual:.1%}"
    return f"{affected}: {story.observed:.3g} {told.unit} against {told.usual:.3g}"


def _named(terms: Sequence[Contributor]) -> str:
    more = [each.value for each in terms if each.lift > 1][:_NAMED]
    less = [each.value for each in terms if each.lift <= 1][:_NAMED]
    return "".join(
        f"; {word}: {', '.join(names)}" for word, names in (("more", more), ("less", less)) if names
    )
