"""What to say of answers that got worse: which grade, by how much, since when, and where."""

from msgspec import Struct

from detectors.answers.decline import Decline, Hold
from detectors.answers.grading import ORDINARY
from detectors.answers.scale import Scale
from detectors.contrast import Tally, contributors
from detectors.detector import Finding
from detectors.failures.burn_rate import chance
from detectors.saying import clock, counted
from schemas.signal import Contributor

TREND = 1.25
MIX_SLACK = 0.4
"""Answers may end by a tool call or by themselves in almost any mix: it goes with the questions."""
HALF = 2
_SAID = {
    "refused": "answers are refused",
    "truncated": "answers are cut short",
    "empty": "answers are empty",
    "feedback": "feedback is bad",
}


class Graded(Struct, frozen=True):
    """What is graded: the finding, its subject (an evaluation or a reason) and, of scores, their scale."""

    finding: str
    subject: str = ""
    scale: Scale | None = None
    falls: bool = True
    """Whether low scores are the bad ones."""

    @property
    def slack(self) -> float:
        """How far from the usual towards 1 the mean may be at any time."""
        return MIX_SLACK if self.finding == "finish_reason" and self.subject in ORDINARY else 0.0

    @property
    def is_urgent(self) -> bool:
        """Whether what is bad is judged within five seconds, and not by the minute."""
        return self.finding not in {"score", "finish_reason"}

    @property
    def labels(self) -> dict[str, str]:
        """What tells it from others of the same finding."""
        if not self.subject:
            return {}
        return {"reason" if self.finding == "finish_reason" else "evaluation": self.subject}

    def shown(self, badness: float) -> float:
        """As it was given: a mean score, or a share."""
        if self.scale is None:
            return round(badness, 4)
        return round(self.scale.score(1 - badness if self.falls else badness), 4)


def declined(graded: Graded, decline: Decline, hold: Hold, others: Tally, now: float) -> Finding:
    """The finding of a decline that holds. `others`: answers that were good."""
    share, usual = hold.bad / hold.total, decline.usual.mean
    known = contributors(decline.tally, others)
    history = tuple(graded.shown(bad / total) for _, total, bad in decline.minutes.rows if total)
    ratio = share / max(usual, decline.usual.allowed(0.0) / HALF)
    return Finding(
        finding=graded.finding,
        labels=graded.labels,
        onset=hold.onset,
        summary=_summary(graded, hold, usual, known, now),
        observed=graded.shown(share),
        baseline=graded.shown(usual),
        unit="share" if graded.scale is None else "mean score",
        magnitude=round(ratio, 2),
        magnitude_unit="ratio",
        confidence=round(
            1 - min(0.5, chance(round(hold.bad), decline.allowed(graded.slack) * hold.total)), 4
        ),
        trend=_trend(decline.minutes.rows),
        blast=decline.affected.blast(share),
        contributors=known,
        samples=tuple(decline.samples),
        history=history,
    )


def _summary(graded: Graded, hold: Hold, usual: float, known: tuple[Contributor, ...], now: float) -> str:
    since, share = clock(hold.onset, now), hold.bad / hold.total
    where = f", mostly {known[0].dimension} {known[0].value}" if known else ""
    if graded.scale is not None:
        turn = "fell" if graded.falls else "rose"
        return (
            f"{graded.subject} {turn} to {graded.shown(share):.3g} since {since} "
            f"(usually {graded.shown(usual):.3g}): {counted(hold.total, 'score')}{where}"
        )
    what = _SAID.get(graded.finding, f"answers end with {graded.subject}")
    of = f" in {graded.subject}" if graded.finding == "feedback" else ""
    counts = f"{hold.bad:,.0f} of {hold.total:,.0f}"
    return f"{share:.1%} of {what}{of} since {since} (usually {usual:.1%}): {counts}{where}"


def _trend(minutes: list[list[float]]) -> str:
    """The later half of the last minutes against the earlier one."""
    middle = len(minutes) // HALF
    early, late = _mean(minutes[:middle]), _mean(minutes[middle:])
    if late > TREND * early:
        return "rising"
    return "falling" if early > TREND * late else "steady"


def _mean(minutes: list[list[float]]) -> float:
    total = sum(each[1] for each in minutes)
    return sum(each[2] for each in minutes) / total if total else 0.0
