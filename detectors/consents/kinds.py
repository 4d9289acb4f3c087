"""What requests and operations are of, and what stands out in some of them against the others."""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from detectors.contrast import FEWEST, LONGEST, MOST_VALUES, Tally, contributors
from schemas.event import Event
from schemas.signal import Contributor

DIMENSIONS = ("operation", "tool", "tenant", "version")
RADIX = MOST_VALUES + 1
"""So many values of a dimension are told apart, and none; further ones count as none."""
MOST_COUNTED = 2000
"""At more, all counts are halved: what came long ago fades."""
UNKNOWN = 0
"""The kind of what says nothing."""


class Kinds(Struct, array_like=True):
    """The state: by dimension, its values in the order of their coming, how many had each; how many in all.

    A kind is a number: for each dimension a digit, the place of its value counted from 1, or 0.
    """

    names: list[list[str]] = field(default_factory=list)
    counts: list[list[int]] = field(default_factory=list)
    total: int = 0

    def take(self, event: Event) -> int:
        """Counts an event. Returns its kind."""
        if not self.names:
            self.names, self.counts = [[] for _ in DIMENSIONS], [[] for _ in DIMENSIONS]
        data, kind = event.data, UNKNOWN
        said = (
            data.operation.name,
            data.tool.name if data.tool else None,
            data.tenant.id if data.tenant else None,
            data.agent.version,
        )
        for names, counts, value in zip(self.names, self.counts, said, strict=True):
            digit = _digit(names, counts, value) if value else 0
            if digit:
                counts[digit - 1] += 1
            kind = kind * RADIX + digit
        self.total += 1
        if self.total > MOST_COUNTED:
            self.total //= 2
            self.counts = [[each // 2 for each in counts] for counts in self.counts]
        return kind

    def standing_out(self, kinds: Iterable[int]) -> tuple[Contributor, ...]:
        """What some have more often than the others that were counted, if there are a few of these."""
        some, rest = Tally(), Tally()
        for kind, count in Counter(kinds).items():
            some.weight += count
            for dimension, names, digit in zip(DIMENSIONS, self.names, _digits(kind), strict=False):
                if digit:
                    some.add(dimension, names[digit - 1], count)
        rest.weight = max(0, self.total - some.weight)
        for dimension, names, counts in zip(DIMENSIONS, self.names, self.counts, strict=False):
            for name, count in zip(names, counts, strict=True):
                rest.add(dimension, name, max(0, count - some.by.get(dimension, {}).get(name, 0)))
        return contributors(some, rest) if rest.weight >= FEWEST else ()


def _digit(names: list[str], counts: list[int], value: str) -> int:
    name = value[:LONGEST]
    if name in names:
        return names.index(name) + 1
    if len(names) >= MOST_VALUES:
        return 0
    names.append(name)
    counts.append(0)
    return len(names)


def _digits(kind: int) -> Sequence[int]:
    digits = []
    for _ in DIMENSIONS:
        kind, digit = divmod(kind, RADIX)
        digits.append(digit)
    return digits[::-1]
