"""What a run brought about, in figures: for the end of a replay and of the demo."""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from schemas.decision import Decision
from schemas.incident import Incident
from schemas.page import Notice, Page
from schemas.signal import Signal
from streams.history import Step
from streams.records import DeadLetter, Told

EXAMPLES = 3
HOUR_S = 3600


class Profile(Struct, frozen=True):
    """Events and pages over time, in equal spans of `hours` from POSIX hour `first` on."""

    first: int
    hours: int
    events: Sequence[int]
    pages: Sequence[int]


class Summary:
    """Counts what is told. It grows with hours, incidents and pages, not with events."""

    def __init__(self) -> None:
        self.events = 0
        self.causes = 0
        self.ahead = 0
        """Events whose time lay ahead of the wall clock: they counted as of the time before them."""
        self.malformed = 0
        self.examples: list[DeadLetter] = []
        self.signals: Counter[str] = Counter()
        self.incidents: dict[str, Incident] = {}
        self.advice: Counter[str] = Counter()
        self.pages: list[Page] = []
        self._events_by_hour: Counter[int] = Counter()

    @property
    def is_vain(self) -> bool:
        """Whether there were lines, and none of them could be taken."""
        return bool(self.malformed) and not self.events and self.causes <= self.malformed

    def step(self, step: Step | None) -> None:
        """Counts an event; or, where there is no step, a recorded cause."""
        if step is None:
            self.causes += 1
            return
        if not step.is_event or step.at_s is None:
            return
        self.events += 1
        if step.is_ahead:
            self.ahead += 1
        else:
            self._events_by_hour[int(step.at_s // HOUR_S)] += 1

    def tell(self, told: Told) -> None:
        """Counts a turn, a page, a piece of advice or a dead letter."""
        match told:
            case DeadLetter():
                self.malformed += 1
                self.examples = [*self.examples, told][:EXAMPLES]
            case Signal(state="firing"):
                self.signals[f"{told.detector}/{told.finding}"] += 1
            case Incident():
                self.incidents[told.id] = told
            case Page() if not isinstance(told, Notice):
                self.pages.append(told)
            case Decision():
                self.advice[told.action] += 1
            case _:
                pass

    def people(self) -> Counter[str]:
        """Pages by whom they went to."""
        return Counter(page.to for page in self.pages)

    def profile(self, spans: int) -> Profile:
        """Events and pages over time, in at most so many spans of whole hours."""
        pages = Counter(int(page.time.timestamp() // HOUR_S) for page in self.pages)
        known = self._events_by_hour.keys() | pages.keys()
        if not known:
            return Profile(0, 1, (), ())
        first = min(known)
        hours = -(-(max(known) - first + 1) // spans)
        length = (max(known) - first) // hours + 1
        return Profile(
            first,
            hours,
            _summed(self._events_by_hour, first, hours, length),
            _summed(pages, first, hours, length),
        )


def _summed(counts: Mapping[int, int], first: int, hours: int, length: int) -> Sequence[int]:
    sums = [0] * length
    for hour, count in counts.items():
        sums[(hour - first) // hours] += count
    return sums
