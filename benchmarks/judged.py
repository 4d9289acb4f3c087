"""Runs the core over events and counts what comes out: shared by the benchmarks of false and missed pages."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from schemas.cause import ConfigFile
from schemas.event import Event
from schemas.page import Page
from schemas.signal import Signal
from schemas.wire import encode
from streams.files import Line
from streams.replay import replay

RULES = ConfigFile(
    "benchmark.yml",
    """\
route:
  receiver: digest
  group_by: [agent, detector, finding]
  group_wait: 10s
  routes:
  - receiver: on-call
    matchers: ['severity=~"critical|error"']
    routes:
    - {matchers: ['detector="dependency"'], group_by: [kind, dependency]}
receivers:
- {name: on-call, notify: [{terminal: screen}]}
- {name: digest, notify: []}
""",
)
"""The defaults of every detector and of severity; `error` and `critical` page, the rest is recorded."""


@dataclass
class Judged:
    """What a run brought about. `opened`: of each signal, its first assertion, in order of time."""

    events: int = 0
    pages: list[Page] = field(default_factory=list)
    opened: list[Signal] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)

    @property
    def findings(self) -> Counter[str]:
        """Signals by `detector/finding`."""
        return Counter(f"{each.detector}/{each.finding}" for each in self.opened)

    def after(self, start: datetime) -> "Judged":
        """Only what came from `start` on."""
        pages = [each for each in self.pages if each.time >= start]
        return Judged(self.events, pages, [each for each in self.opened if each.onset >= start])

    def take(self, word: object) -> None:
        """Counts one record."""
        if isinstance(word, Page):
            self.pages.append(word)
        elif isinstance(word, Signal) and word.state == "firing" and word.id not in self._known:
            self._known.add(word.id)
            self.opened.append(word)


def judged(events: Iterable[Event], files: Sequence[ConfigFile] = (RULES,)) -> Judged:
    """Replays events, in the order of their times, through detect and route."""
    found = Judged()
    for _, words in replay((Line(encode(each)) for each in _counted(events, found)), files):
        for word in words:
            found.take(word)
    return found


def _counted(events: Iterable[Event], found: Judged) -> Iterable[Event]:
    for event in events:
        found.events += 1
        yield event
