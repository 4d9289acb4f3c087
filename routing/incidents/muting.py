"""What is not to be heard: silences, time intervals of the route, and signals that say more.

Muting stops pages; it never stops the word that an incident is over.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from routing.hours import next_look, silence_holds, sleeping
from routing.incidents.grid import flush_on_grid
from routing.incidents.incident import Case, Member
from routing.incidents.turn import Turn
from routing.matchers import Matcher, matches_all

MOST_NAMED = 8
"""What mutes an incident is named, up to so many of each kind."""


class Hearing(Struct, frozen=True):
    """The members that fire and that nothing mutes; of the others, which silences and incidents mute them.

    `asleep`: the time intervals that mute the whole incident, or empty.
    """

    heard: list[Member]
    asleep: str = ""
    silences: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()


def audible(turn: Turn, case: Case) -> list[Member]:
    """The members that fire and that nothing mutes."""
    return hearing(turn, case).heard


def hearing(turn: Turn, case: Case) -> Hearing:
    """Which members of an incident are heard now, and what mutes the others."""
    sources = turn.state.sources(turn.policy)
    holding = tuple(_holding(turn))
    heard: list[Member] = []
    silences: dict[str, None] = {}
    incidents: dict[str, None] = {}
    for member in case.firing():
        silence = _silenced_by(holding, member)
        source = "" if silence else sources.muting(member.labels)
        if silence:
            silences[silence] = None
        elif source:
            incidents[_incident_of(turn, source)] = None
        else:
            heard.append(member)
    asleep = sleeping(turn.policy, turn.route(case), turn.now)
    return Hearing(
        heard=[] if asleep else heard,
        asleep=asleep,
        silences=tuple(silences)[:MOST_NAMED],
        incidents=tuple(incidents)[:MOST_NAMED],
    )


def is_silenced(turn: Turn, case: Case, member: Member) -> bool:
    """Whether silences or hours keep a member of an incident quiet; what says more of it does not count."""
    asleep = sleeping(turn.policy, turn.route(case), turn.now)
    return bool(asleep or _silenced_by(_holding(turn), member))


def listen_again(turn: Turn, case: Case) -> datetime:
    """When an incident that is muted may be heard again: now, as far as nothing but events can tell."""
    route = turn.route(case)
    if not sleeping(turn.policy, route, turn.now):
        return turn.now
    names = (*route.mute_time_intervals, *route.active_time_intervals)
    return next_look((turn.policy.time_intervals[name] for name in names), turn.now)


def note_muting(turn: Turn, case: Case, found: Hearing) -> list[Member]:
    """Writes down what mutes an incident; an incident that mutes it is to show that. Gives what is heard."""
    named = (
        *((found.asleep,) if found.asleep else ()),
        *(f"silence {each}" for each in found.silences),
        *(f"incident {each}" for each in found.incidents),
    )
    if named != case.muted_by:
        case.muted_by = named
        turn.changed(case)
    others = tuple(each for each in found.incidents if each != case.id)
    for source in (turn.state.cases[each] for each in others if each not in case.hushed_by):
        if source.open and source.told:
            flush_on_grid(turn, source, turn.now)
    if others != case.hushed_by:
        turn.state.hush(case, others)
    return found.heard


def _holding(turn: Turn) -> Iterator[tuple[str, tuple[Matcher, ...]]]:
    """The silences that hold now: those that people made, then the planned ones."""
    for each in turn.state.core.silences.values():
        if each.holds(turn.now):
            yield each.id, each.matchers
    for planned in turn.policy.silences:
        if silence_holds(planned, turn.now):
            yield planned.name, planned.matchers


def _silenced_by(holding: Iterable[tuple[str, tuple[Matcher, ...]]], member: Member) -> str:
    """The first silence that matches a member, if any does."""
    return next((name for name, matchers in holding if matches_all(matchers, member.labels)), "")


def _incident_of(turn: Turn, signal_id: str) -> str:
    """The incident of a signal that fires: an open one rather than one that was closed by hand."""
    ids = turn.state.by_signal.all(signal_id)
    return next((each for each in ids if turn.state.cases[each].open), ids[0])
