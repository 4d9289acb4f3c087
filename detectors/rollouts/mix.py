"""Which strata the arms' sessions are of, and whether control has sessions to compare the canary's with.

Strata take care of another mix of traffic only where both arms have sessions of them: a block of one arm says
nothing.
"""

from collections.abc import Sequence

from msgspec import Struct

from detectors.contrast import lift
from schemas.signal import Contributor

STRATUM = "stratum"
LACKING = 10.0
"""Control lacks a stratum of which it has a tenth at most of the part that the canary has."""
FEWEST, SHARE, BACK = 20, 1 / 3, 1 / 4
"""An imbalance is told of from so many canaries on, where such a part is of strata that control lacks, until
it is less than the last.
"""
MOST_SHOWN = 3


class Mix(Struct, array_like=True):
    """The state, by a stratum's place: canaries and controls in blocks that are over."""

    counts: list[list[int]] = []

    def take(self, place: int, canaries: int, controls: int) -> None:
        """A block."""
        self.counts += [[0, 0] for _ in range(place + 1 - len(self.counts))]
        count = self.counts[place]
        count[0] += canaries
        count[1] += controls

    @property
    def _arms(self) -> tuple[int, int]:
        return sum(each[0] for each in self.counts), sum(each[1] for each in self.counts)

    def _lifts(self) -> list[float]:
        """By stratum: its part of the canary's sessions over that of control's."""
        canaries, controls = self._arms
        return [lift(canary, canaries, control, controls) for canary, control in self.counts]

    @property
    def unmatched(self) -> float:
        """The part of the canaries whose strata control lacks; 0 while either arm has few sessions."""
        canaries, controls = self._arms
        if min(canaries, controls) < FEWEST:
            return 0.0
        lacking = zip(self.counts, self._lifts(), strict=True)
        return sum(canary for (canary, _), times in lacking if times >= LACKING) / canaries

    def lacking(self, names: Sequence[str]) -> list[str]:
        """Strata that control lacks, those with most canaries first."""
        known = zip(self.counts, self._lifts(), names, strict=False)
        return [
            name for _, name in sorted((-each[0], name) for each, times, name in known if times >= LACKING)
        ]

    def contributors(self, names: Sequence[str]) -> tuple[Contributor, ...]:
        """Each stratum's part of the canary's sessions against that of control's, the least alike first.

        Nothing where there is but one stratum.
        """
        if len(self.counts) < 2:  # noqa: PLR2004 - one
            return ()
        canaries = max(1, self._arms[0])
        shown = [
            Contributor(dimension=STRATUM, value=name[:64], share=round(each[0] / canaries, 4), lift=times)
            for each, times, name in zip(self.counts, self._lifts(), names, strict=False)
        ]
        return tuple(sorted(shown, key=_order))[:MOST_SHOWN]


def _order(each: Contributor) -> tuple[float, float, str]:
    """The lift of a stratum is above 0: half a session is added to each count."""
    return -max(each.lift, 1 / max(each.lift, 0.01)), -each.share, each.value
