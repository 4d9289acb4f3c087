"""One outage, one page: calls that fail are told by their dependency's incident or by their agent's.

`dependency` and `error_rate` speak of the same calls: of one provider or tool over all agents, and of one
agent over all of them. Whichever is an error or worse first covers the other of the same agent
(`routing.severity` says which covers which, and what that means).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from routing.incidents.incident import Case, Member
from routing.incidents.muting import audible, is_silenced
from routing.incidents.turn import Turn
from routing.policy import EscalationTarget
from routing.severity import LOST, covers, says_already, tells_of_calls
from schemas.signal import DRILL, Signal

GRACE = timedelta(minutes=15)
"""A cover holds for so long after it was last asserted: two ends of one outage are minutes apart.

Where few calls come they are hours apart: then it holds until something fails again.
"""
SAME_OUTAGE = timedelta(minutes=30)
"""Lost sessions cover calls that began to fail at most so long after them: later ones are something new."""
MOST_COVERED = 1_000
"""Agents with covers; beyond, the one whose cover began first loses it, and what it covered may page."""


def beside(turn: Turn, signal: Signal, labels: Mapping[str, str]) -> set[str]:
    """Names of the detectors that fire for the signal's agent, and of what covers its signals.

    A fire drill stands beside nothing.
    """
    if DRILL in labels:
        return set()
    known = turn.state.core.covers.get(_place(labels), {})
    found = {
        name
        for name, (onset, last) in known.items()
        if (turn.now - last <= GRACE or _is_left_over(signal, last))
        and (name != LOST or signal.onset - onset <= SAME_OUTAGE)
    }
    return found.union(turn.state.beside(labels.get("agent", "")))


def cover(turn: Turn, member: Member) -> None:
    """Notes what a signal covers from here on: nothing, where nobody is told of it."""
    names = covers(member.signal, member.severity)
    if not names or member.is_drill or not _is_told(turn, member):
        return
    places, place = turn.state.core.covers, _place(member.labels)
    if place not in places and len(places) >= MOST_COVERED:
        del places[next(iter(places))]
    places.setdefault(place, {}).update(dict.fromkeys(names, (member.signal.onset, turn.now)))


def is_covered(turn: Turn, case: Case) -> bool:
    """Whether other incidents say already all that is heard of this one, though it fired before they did."""
    heard = audible(turn, case)
    return bool(heard) and all(
        says_already(each.signal, beside(turn, each.signal, each.labels)) for each in heard
    )


def _is_left_over(signal: Signal, last: datetime) -> bool:
    """Whether a signal is of an outage that was covered until then, and nothing has failed since."""
    # Samples of a silence are the last that was heard, not what fails.
    samples = signal.samples if tells_of_calls(signal) else ()
    failed = max((each.time for each in samples), default=None)
    return failed is not None and signal.onset <= last and failed <= last + GRACE


def _is_told(turn: Turn, member: Member) -> bool:
    """Whether somebody is paged of a signal, or closed its incident: then they know of it."""
    cases = (turn.state.cases[case_id] for case_id in turn.state.by_signal.all(member.signal.id))
    return any(
        not case.open or (_pages(turn, case) and not is_silenced(turn, case, member)) for case in cases
    )


def _pages(turn: Turn, case: Case) -> bool:
    receiver = turn.policy.receivers.get(case.receiver)
    entries = receiver.notify if receiver else ()
    return any(isinstance(each, EscalationTarget) or each.digest is None for each in entries)


def _place(labels: Mapping[str, str]) -> str:
    return f"{labels.get('agent', '')}\n{labels.get('env', '')}"
