"""On-call schedules: layers, calendars, swaps, overrides, and who is on call when."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from msgspec import Struct

from routing.oncall.rotation import Layer
from routing.oncall.walltime import instant

OVERRIDE, SWAP, CALENDAR = "override", "swap", "calendar"
Held = tuple[tuple[str, str], ...]
"""Who is on call at an instant, and by what: user and layer. Several where a calendar has several."""
Minded = Literal["error", "warning", "ignore"]


class Override(Struct, frozen=True):
    """Somebody takes over for [start, end): instants in UTC."""

    user: str
    start: datetime
    end: datetime


class Swap(Struct, frozen=True):
    """Two people exchange their shifts within [start, end): where one would be on call, the other is."""

    users: tuple[str, str]
    start: datetime
    end: datetime

    def other(self, user: str) -> str | None:
        """Who stands in for a user, or None for whom it does not concern."""
        one, two = self.users
        return {one: two, two: one}.get(user)


class Shift(Struct, frozen=True, order=True):
    """An unbroken time of one user on one layer: [start, end), in UTC.

    `layer`: its name, or `override`, `swap`, `calendar`.
    """

    user: str
    start: datetime
    end: datetime
    layer: str


class Gap(Struct, frozen=True):
    """A time in which nobody is on call: [start, end), in UTC."""

    start: datetime
    end: datetime


class Handoff(Struct, frozen=True):
    """Tell those concerned `notice` before each change, on a channel given by kind and target."""

    notice: timedelta
    channels: tuple[tuple[str, str], ...] = ()


class Roster(Protocol):
    """A calendar of people, as far as a schedule needs it. `unreadable`: entries that are passed over."""

    unreadable: int

    def users(self, at: datetime) -> tuple[str, ...]:
        """Who is on call by it at an instant."""
        ...

    def boundaries(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The instants in (start, end) at which its answer may change."""
        ...

    def strangers(self, start: datetime, end: datetime) -> tuple[str, ...]:
        """Headings of entries in [start, end) that name no user."""
        ...


class Schedule(Struct, frozen=True, kw_only=True):
    """A schedule: a later layer wins while it is active, the calendar above layers, overrides above all.

    Swaps exchange people of layers and calendar, in their order; of overrides the latest entry wins. `gaps`,
    `overlaps`: what an uncovered minute, or two people where one is meant, are to `oversight check`.
    `calendar`: where an iCalendar comes from; `match`: how its people are told apart; `roster`: its people.
    """

    name: str
    place: ZoneInfo
    layers: tuple[Layer, ...] = ()
    overrides: tuple[Override, ...] = ()
    swaps: tuple[Swap, ...] = ()
    gaps: Minded = "ignore"
    overlaps: Minded = "warning"
    handoff: Handoff | None = None
    calendar: str = ""
    match: str = "email"
    roster: Roster | None = None

    def on_call(self, at: datetime) -> tuple[str, ...]:
        """Names of the users on call at an instant (aware), or none."""
        return tuple(user for user, _ in self.held(at.astimezone(UTC)))

    def shifts(self, start: datetime, end: datetime) -> list[Shift]:
        """Who is on call from `start` to `end` (aware), computed from the boundaries, not by stepping.

        In order of time; several people at once are several shifts.
        """
        found: list[Shift] = []
        begun: dict[tuple[str, str], datetime] = {}
        for begin, _, held in [*self.pieces(start, end), (end.astimezone(UTC), end, ())]:
            for user, layer in [each for each in begun if each not in held]:
                found.append(Shift(user, begun.pop((user, layer)), begin, layer))
            for each in held:
                begun.setdefault(each, begin)
        return sorted(found, key=lambda shift: (shift.start, shift.end, shift.user))

    def uncovered(self, start: datetime, end: datetime) -> list[Gap]:
        """The times from `start` to `end` (aware) in which nobody is on call."""
        return [Gap(begin, over) for begin, over, held in self.pieces(start, end) if not held]

    def next_change(self, after: datetime, until: datetime) -> datetime | None:
        """The first instant in (after, until) at which other people are on call."""
        pieces = self.pieces(after, until)
        before = {user for user, _ in next(pieces, (after, until, ()))[2]}
        return next((begin for begin, _, held in pieces if {user for user, _ in held} != before), None)

    def pieces(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, Held]]:
        """[start, end) without seams: neighbours of the same users and layers are one. In UTC."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        edges = sorted({start, *self._boundaries(start, end)}) if start < end else []
        begin, held = start, self.held(start) if edges else ()
        for edge in edges[1:]:
            found = self.held(edge)
            if found != held:
                yield begin, edge, held
                begin, held = edge, found
        if edges:
            yield begin, end, held

    def held(self, at: datetime) -> Held:
        """Users and layers at an instant in UTC."""
        for override in reversed(self.overrides):
            if override.start <= at < override.end:
                return ((override.user, OVERRIDE),)
        held = self._planned(at)
        for swap in self.swaps:
            if swap.start <= at < swap.end:
                held = tuple(
                    (swap.other(user) or user, SWAP if swap.other(user) else by) for user, by in held
                )
        return held

    def _planned(self, at: datetime) -> Held:
        """What layers and the calendar say."""
        if self.roster and (users := self.roster.users(at)):
            return tuple((user, CALENDAR) for user in users)
        for layer in reversed(self.layers):
            if user := layer.user(at):
                return ((user, layer.name),)
        return ()

    def _boundaries(self, start: datetime, end: datetime) -> Iterator[datetime]:
        for layer in self.layers:
            yield from layer.boundaries(start, end)
        if self.roster:
            yield from self.roster.boundaries(start, end)
        spans = [(each.start, each.end) for each in self.overrides]
        spans += [(each.start, each.end) for each in self.swaps]
        yield from (edge for span in spans for edge in span if start < edge < end)


def moment_of(written: datetime, place: ZoneInfo) -> datetime:
    """An instant in UTC from a time as written: wall time of the schedule, unless it carries an offset."""
    return written.astimezone(UTC) if written.tzinfo else instant(written, place)


def schedules_in(rotas: Mapping[str, object]) -> dict[str, Schedule]:
    """Those that this module made, by name: others know only who is on call now."""
    return {name: rota for name, rota in rotas.items() if isinstance(rota, Schedule)}
