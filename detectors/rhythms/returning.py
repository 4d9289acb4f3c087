"""Whether an agent that fell silent is back: heard in as many minutes as is usual at that hour.

One event is no proof: of an agent that hardly speaks any more silences follow upon each other. Minutes are
compared by likelihood, as many as usual against a third of that, and what speaks against it is forgotten at
zero: Page (1954), "Continuous inspection schemes", doi:10.1093/biomet/41.1-2.100.
"""

from math import log

from msgspec import Struct

FEWER = 3.0
"""Times fewer minutes than usual is not back."""
ENOUGH = 5.0
"""Nats: five minutes of an agent that never rests; by chance e^-5 of the tries of one that is not back."""
SELDOM = 1 / 30
"""Of minutes: whoever is heard in fewer is back with one event, as silences cannot follow soon."""

FEW = 5
"""Minutes in which something came; from as many on it is known how long it is silent now and then."""
LONGER = 3.0
"""Times as long as any before: a chance of e^-7 or less, where silences are those of chance."""
LEAST_S = 300.0


class Return(Struct, array_like=True):
    """The state, from the first event after a told silence on. Times in POSIX seconds.

    `onset`: when the silence began; `began`: when the last that is no habit was broken; `clock`, `ratio`,
    `confidence`: of the first; `longest`: in seconds, of those that may become one; `heard`: minutes in which
    something came; `nats`: for that it is back; `between`: the longest since it is heard again.
    """

    onset: float
    began: float
    clock: str
    ratio: float
    confidence: float
    longest: float = 0.0
    heard: int = 0
    nats: float = 0.0
    between: float = 0.0

    def hears(self, silent: int, share: float) -> bool:
        """Whether a minute in which something came, after so many silent ones, shows that it is back.

        `share`: of minutes in which something usually comes now.
        """
        self.heard += 1
        if share < SELDOM:
            return True
        against = silent * log((1 - share) / (1 - share / FEWER))
        self.nats = max(0.0, self.nats + against) + log(FEWER)
        return self.nats >= ENOUGH

    @property
    def part_of_it_s(self) -> float:
        """Seconds: a longer silence is no part of this, none since the first having been nearly as long.

        Of who was hardly heard since, the first one counts, too.
        """
        known = self.between if self.heard >= FEW else self.longest
        return LONGER * max(known, LEAST_S)
