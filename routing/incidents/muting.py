"""What is not to be heard: silences now; whatever else mutes a signal has its place here."""

from routing.incidents.incident import Case, Member
from routing.incidents.turn import Turn


def audible(turn: Turn, case: Case) -> list[Member]:
    """The members that fire and that nothing mutes."""
    silences = [each for each in turn.state.core.silences.values() if each.until > turn.now]
    return [
        member
        for member in case.firing()
        if not any(all(one.matches(member.labels) for one in silence.matchers) for silence in silences)
    ]
