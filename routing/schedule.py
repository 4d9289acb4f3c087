"""On-call schedules: layers, overrides, and who is on call when."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from routing.oncall.rotation import Layer
from routing.oncall.walltime import instant

OVERRIDE = "override"


class Override(Struct, frozen=True):
    """Somebody takes over for [start, end): instants in UTC."""

    user: str
    start: datetime
    end: datetime


class Shift(Struct, frozen=True):
    """An unbroken time of one user on one layer: [start, end), in UTC. `layer`: its name, or `override`."""

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


class Schedule(Struct, frozen=True, kw_only=True):
    """A schedule: a later layer wins while it is active, the latest entry of `overrides` above all.

    `gaps`: what an uncovered minute in the next 90 days is to `oversight check`: `error`, `warn`, `ignore`.
    `calendar` (where an iCalendar is fetched from; `match`: how its attendees are told apart), `holidays`
    (country, by layer) and `handoff` are kept.
    """

    name: str
    place: ZoneInfo
    layers: tuple[Layer, ...] = ()
    overrides: tuple[Override, ...] = ()
    gaps: str = "ignore"
    handoff: Handoff | None = None
    calendar: str = ""
    match: str = "email"
    holidays: tuple[tuple[str, str], ...] = ()

    def on_call(self, at: datetime) -> tuple[str, ...]:
        """Names of the users on call at an instant (aware), or none."""
        found = self._found(at.astimezone(UTC))
        return (found[0],) if found else ()

    def shifts(self, start: datetime, end: datetime) -> list[Shift]:
        """Who is on call from `start` to `end` (aware), computed from the boundaries, not by stepping."""
        return [
            each
            for each in self._pieces(start.astimezone(UTC), end.astimezone(UTC))
            if isinstance(each, Shift)
        ]

    def uncovered(self, start: datetime, end: datetime) -> list[Gap]:
        """The times from `start` to `end` (aware) in which nobody is on call."""
        return [
            each for each in self._pieces(start.astimezone(UTC), end.astimezone(UTC)) if isinstance(each, Gap)
        ]

    def _found(self, at: datetime) -> tuple[str, str] | None:
        """User and layer at an instant."""
        for override in reversed(self.overrides):
            if override.start <= at < override.end:
                return override.user, OVERRIDE
        for layer in reversed(self.layers):
            if user := layer.user(at):
                return user, layer.name
        return None

    def _pieces(self, start: datetime, end: datetime) -> Iterator[Shift | Gap]:
        """[start, end) without seams: neighbours of the same user and layer are one."""
        edges = sorted({start, *self._boundaries(start, end)}) if start < end else []
        begin, held = start, self._found(start) if edges else None
        for edge in edges[1:]:
            found = self._found(edge)
            if found != held:
                yield _piece(held, begin, edge)
                begin, held = edge, found
        if edges:
            yield _piece(held, begin, end)

    def _boundaries(self, start: datetime, end: datetime) -> Iterator[datetime]:
        for layer in self.layers:
            yield from layer.boundaries(start, end)
        for override in self.overrides:
            yield from (edge for edge in (override.start, override.end) if start < edge < end)


def moment_of(written: datetime, place: ZoneInfo) -> datetime:
    """An instant in UTC from a time as written: wall time of the schedule, unless it carries an offset."""
    return written.astimezone(UTC) if written.tzinfo else instant(written, place)


def _piece(held: tuple[str, str] | None, begin: datetime, end: datetime) -> Shift | Gap:
    return Shift(held[0], begin, end, held[1]) if held else Gap(begin, end)
