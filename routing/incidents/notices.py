"""Notices that a silence is about to end while it still hides something that fires.

One notice a silence, to its author or, where they have no quiet channel, to a channel of the incident's
receiver. Nobody is told of a recurring silence, whose end is a matter of course, or of a short one.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from routing.incidents.incident import Case, Member
from routing.incidents.posting import LOUD, Word, post
from routing.incidents.state import START
from routing.incidents.turn import Turn
from routing.matchers import Matcher, matches_all
from routing.notifiers.registry import discover
from routing.policy import ChannelTarget
from schemas.page import Channel

LEAD = timedelta(minutes=30)
"""How long before a silence ends; a quarter of it, where that is less."""
SHORT = timedelta(hours=1)
FEW = 5
"""Incidents that a notice names."""
QUIET = tuple(kind for kind in discover() if kind not in LOUD and kind != "terminal")
"""Those over which a person reads it later."""


class Ending(Struct, frozen=True, kw_only=True):
    """A silence that holds from `since` to `until` and does not come again."""

    name: str
    matchers: tuple[Matcher, ...]
    by: str
    comment: str
    since: datetime
    until: datetime

    @property
    def notice_at(self) -> datetime:
        """When its notice is due."""
        return self.until - min(LEAD, (self.until - self.since) / 4)

    def hides(self, case: Case) -> list[Member]:
        """The signals of an incident that fire and that it matches."""
        return [member for member in case.firing() if matches_all(self.matchers, member.labels)]


def arm_notices(turn: Turn, case: Case) -> None:
    """Looks again shortly before the end of each silence that hides something of the incident, or will."""
    for ending in () if case.drill else _endings(turn):
        is_long = ending.until - ending.since >= SHORT
        if is_long and ending.notice_at > turn.now and ending.hides(case):
            turn.arm_at(case, notice_timer(ending.name), ending.notice_at)


def notice_due(turn: Turn, case: Case, name: str) -> None:
    """A silence that hid something of the incident is about to end, if it was not changed since."""
    if not case.open:
        return
    told = turn.state.core.noticed
    for ending in _endings(turn):
        due = ending.name == name and ending.notice_at <= turn.now < ending.until
        if due and told.get(name) != ending.until and ending.hides(case):
            for each in [each for each, until in told.items() if until <= turn.now]:
                del told[each]
            _tell(turn, ending)
            told[name] = ending.until


def disarm_notices(turn: Turn, case: Case) -> None:
    """Of an incident that is over no silence's end is told, although its signals may still fire."""
    for name in [each for each in case.timers if each.startswith(notice_timer(""))]:
        turn.disarm(case, name)


def notice_timer(name: str) -> str:
    """The name of the timer of a silence's notice."""
    return f"notice {name}"


def _endings(turn: Turn) -> Iterator[Ending]:
    for said in turn.state.core.silences.values():
        yield Ending(
            name=said.id,
            matchers=said.matchers,
            by=said.by,
            comment=said.comment,
            since=said.since,
            until=said.until,
        )
    for planned in turn.policy.silences:
        if planned.end is not None and planned.span is None:
            yield Ending(
                name=planned.name,
                matchers=planned.matchers,
                by=planned.author,
                comment=planned.comment,
                since=planned.start or START,
                until=planned.end,
            )


def _tell(turn: Turn, ending: Ending) -> None:
    """About the worst incident of those that it hides something of; the first to open among equals."""
    hidden = [
        (case, ending.hides(case)) for case in turn.state.cases.values() if case.open and not case.drill
    ]
    found = sorted(
        ((case, members) for case, members in hidden if members),
        key=lambda each: (-each[0].score, each[0].opened, each[0].id),
    )
    case = found[0][0]
    count = sum(len(members) for _, members in found)
    words = _words(ending, count, case)
    word = Word(
        kind="silence",
        name=ending.name,
        reason="expiring",
        title=words,
        facts=(("Hides", "\n".join(_line(case) for case, _ in found[:FEW])),),
        sequence=ending.until.isoformat(),
    )
    post(turn, word, _readers(turn, ending, case).items())


def _line(case: Case) -> str:
    return f"{case.severity}: {case.summary} ({case.id})"


def _words(ending: Ending, count: int, case: Case) -> str:
    author = f" by {ending.by}" if ending.by else ""
    comment = f" ({ending.comment})" if ending.comment else ""
    hidden = "1 signal" if count == 1 else f"{count} signals"
    until = f"{ending.until:%Y-%m-%d %H:%M} UTC"
    return f"Silence {ending.name}{author}{comment} ends at {until} and hides {hidden} still: {case.summary}"


def _readers(turn: Turn, ending: Ending, case: Case) -> Mapping[str, Channel]:
    """Who is told: the author where they can be reached quietly, else receivers."""
    user = turn.policy.users.get(ending.by)
    for kind in (each for each in QUIET if user and each in user.contacts):
        return {ending.by: turn.policy.users[ending.by].channel(kind)}
    for name in (case.receiver, turn.policy.route.receiver):
        receiver = turn.policy.receivers.get(name)
        targets = [each for each in receiver.notify if isinstance(each, ChannelTarget)] if receiver else []
        quiet = [each.channel for each in targets if each.channel.kind not in LOUD]
        if quiet:
            return {name: quiet[0]}
    turn.state.count("silences that end without a notice")
    return {}
