"""A silence takes effect: what it matches is looked at again."""

from datetime import datetime

from routing.incidents.deeds import who
from routing.incidents.grid import flush_on_grid
from routing.incidents.notices import arm_notices
from routing.incidents.state import Silence
from routing.incidents.turn import Turn
from routing.matchers import Matcher, matches_all
from routing.oncall.instants import utc
from schemas.cause import Silenced


def keep(turn: Turn, cause: Silenced, matchers: tuple[Matcher, ...]) -> None:
    """Notes a silence; one with the same id is replaced by it, or ended where it is over already."""
    before = turn.state.core.silences.get(cause.id)
    silence = Silence(
        id=cause.id,
        matchers=matchers,
        by=who(turn, cause),
        until=utc(cause.until),
        comment=cause.comment,
        since=_since(turn, cause, matchers, before),
    )
    turn.state.core.silences[cause.id] = silence
    _look_again(turn, (matchers, before.matchers if before else matchers))


def _since(turn: Turn, cause: Silenced, matchers: tuple[Matcher, ...], before: Silence | None) -> datetime:
    """One that holds already and hides the same goes on: told again or prolonged, it does not begin anew."""
    if cause.start:
        return utc(cause.start)
    if before is not None and before.matchers == matchers and before.since <= turn.now < before.until:
        return before.since
    return turn.now


def _look_again(turn: Turn, some: tuple[tuple[Matcher, ...], ...]) -> None:
    """What is matched, or was before the silence was changed, may be heard now, or no longer."""
    for case in [case for case in turn.state.cases.values() if case.open]:
        if any(matches_all(each, member.labels) for each in some for member in case.firing()):
            flush_on_grid(turn, case, turn.now)
            arm_notices(turn, case)
