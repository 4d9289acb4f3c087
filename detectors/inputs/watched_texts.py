"""Texts beside their reference: what moved, since when, for whom, in which terms."""

from collections.abc import Sequence

from msgspec import Struct

from detectors.inputs import rank_tracking, recent_inputs, word_rates
from detectors.inputs.holding import GIVEN_UP_S, Hold
from detectors.inputs.rank_tracking import RankTracker, Telling, above
from detectors.inputs.ranked import GRID, WHOLE, Ranked
from detectors.inputs.recent_inputs import RecentInputs, Who
from detectors.inputs.shift_story import Story, story
from detectors.inputs.text_reading import Reading
from detectors.inputs.text_reference import TextReference
from detectors.inputs.text_terms import moved
from detectors.inputs.word_mix import WordMix
from schemas.signal import Contributor

_KEPT = 192
_CHANNELS = (
    Telling(1.0, (0,)),
    Telling(1.0, (1,)),
    Telling(0.5, (2,)),
    Telling(0.5, (2,)),
    Telling(1.0, (3, 4)),
    Telling(1.0, (3, 5)),
)
"""Novelty, surprise, greater and smaller length, mix of words by half-life, which learns structure too."""


class Saved(Struct, array_like=True):
    """The moving part."""

    enough: float
    tracker: rank_tracking.Saved
    mix: word_rates.Saved
    recent: recent_inputs.Saved


class WatchedTexts:
    """Takes texts one by one; `hold` is the shift that holds, if any."""

    __slots__ = ("_half", "_mix", "_quantities", "_recent", "_reference", "_tracker")

    def __init__(self, reference: TextReference, enough: float, saved: Saved | None = None) -> None:
        """`enough`: texts between two false alarms. `saved`: what `save` gave."""
        self._reference = reference
        self._mix = WordMix(reference, saved.mix if saved else None)
        mix = Ranked("mix of words", GRID, ("top10", "top5", "top1"), unit="share of inputs", news="higher")
        self._quantities = (*reference.quantities, mix, mix)
        sizes = [len(table) for table in (*reference.tables, reference.tables[-1], *self._mix.tables)]
        self._tracker = RankTracker(
            self._quantities, _CHANNELS, sizes, enough, saved.tracker if saved else None
        )
        self._half = 0.5 / len(self._mix.tables[0])
        self._recent = RecentInputs("H", len(self._quantities), _KEPT, saved.recent if saved else None)

    @property
    def enough(self) -> float:
        """Texts between two false alarms, at least and on average."""
        return self._tracker.enough

    @enough.setter
    def enough(self, texts: float) -> None:
        self._tracker.enough = texts

    @property
    def hold(self) -> Hold | None:
        """The shift that holds."""
        return self._tracker.hold

    @property
    def ends_at(self) -> float:
        """When the shift that holds is given up, if no further text comes."""
        return self._recent.last + GIVEN_UP_S

    def end(self, now: float) -> None:
        """What holds is over."""
        self._tracker.end(now)

    def take(self, now: float, who: Who, reading: Reading) -> float:
        """One text, at `now` (POSIX seconds); returns how far out its wording is, 0 to 1."""
        reference, mix = self._reference, self._mix
        scored = reference.scores(reading)
        places = mix.places(reading, scored)
        novelties, surprises, lengths = reference.tables
        longer, as_long = above(lengths, reading.length)
        novel, surprising = above(novelties, scored.novelty), above(surprises, scored.surprise)
        size = len(lengths)
        short, long = mix.tables
        for_short, for_long = mix.scores(places)
        first, second = above(short, for_short), above(long, for_long)
        ranks = (novel, surprising, (longer, as_long), (size - as_long, size - longer), first, second)
        raws = (
            min(WHOLE, scored.novelty),
            min(WHOLE, scored.surprise),
            reading.length,
            reading.structure,
            round(WHOLE * (1 - (first[0] + first[1]) * self._half)),
            round(WHOLE * (1 - (second[0] + second[1]) * self._half)),
        )
        self._recent.append(now, who, raws)
        self._tracker.take(now, raws, ranks, self._recent)
        mix.take(places)
        return 1 - min(novel[0] + novel[1], surprising[0] + surprising[1]) / (2 * size)

    def story(self) -> Story | None:
        """What to tell of the shift that holds."""
        hold = self._tracker.hold
        return story(self._quantities, hold, self._recent) if hold else None

    def terms(self, patterns: Sequence[str], most: int) -> tuple[Contributor, ...]:
        """The terms that moved most, redacted also by `patterns`."""
        return moved(self._mix.rates, self._reference, patterns, most)

    def save(self) -> Saved:
        """The state exactly."""
        return Saved(self.enough, self._tracker.save(), self._mix.save(), self._recent.save())
