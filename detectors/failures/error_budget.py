"""The error budget of three days: how much of it is spent, and when it is gone if things go on like this."""

from msgspec import Struct

from detectors.failures.burn_rate import Counted
from detectors.failures.windows import HOUR_S, Windows
from detectors.saying import span

THREE_DAYS = 4320
PERIOD_S = THREE_DAYS * 60.0


class ErrorBudget(Struct, frozen=True):
    """`spent`: times the failures that three days may have. `gone_in_s`: seconds until all of it is.

    0 once it is; None where things do not go on so badly that it ever would be.
    """

    spent: float
    gone_in_s: float | None

    def __str__(self) -> str:
        """In words, `0.3x the 3-day error budget spent, gone in 5 hours at this rate`."""
        gone = f", gone in {span(self.gone_in_s)} at this rate" if self.gone_in_s else ""
        return f"{self.spent:.1f}x the 3-day error budget spent{gone}"


def error_budget(windows: Windows, counted: Counted, budget: float, burn: float) -> ErrorBudget:
    """As of now. `budget`: 1 - objective. `burn`: how many times too fast it is spent at present.

    What is not known for three days is taken to have come as it does since it is known, an hour at least.
    """
    bad, total = counted(THREE_DAYS)
    known_s = min(PERIOD_S, max(HOUR_S, windows.reach_s))
    spent = bad / (budget * max(1, total) * PERIOD_S / known_s)
    if spent >= 1:
        return ErrorBudget(spent, 0.0)
    return ErrorBudget(spent, round((1 - spent) * PERIOD_S / burn) if burn > 1 else None)
