"""A rise or a fall of arrivals that is told, from its beginning until there is evidence of its end."""

from msgspec import Struct, field

from detectors.contrast import Tally

RECOVERY = 10
"""Minutes."""
ADOPTED = 1440
"""Minutes: what was seen for a day is normal, …"""
LONGEST_HELD = 7 * 1440
"""… and what nobody could see the end of for a week."""


class Change(Struct, array_like=True):
    """Minutes since 1970: `onset`, `opened`, and `bad`, when it was last seen.

    `arrived` and `usual`: since the onset; `confidence`: when it was told; `level`: of what was
    usual then, over what is at this hour; `seen`: of those who arrived since; `shown`: minutes of hours in
    which enough are usual for it to be seen.
    """

    onset: int
    opened: int
    bad: int
    arrived: float
    usual: float
    confidence: float
    level: float = 1.0
    seen: Tally = field(default_factory=Tally)
    shown: int = 0

    @property
    def ratio(self) -> float:
        """What arrived over what is usual."""
        return self.arrived / self.usual

    def is_over(self, minute: int) -> bool:
        """Whether it has been well for long enough."""
        return minute - self.bad >= RECOVERY

    def is_normal(self, minute: int) -> bool:
        """Whether it has lasted for a day of such hours."""
        return self.shown >= ADOPTED or minute - self.opened >= LONGEST_HELD
