"""Two runs over the same events: which pages came, which went, which moved to somebody else."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from schemas.page import Page
from streams.files import Unreadable, lines
from streams.records import PageRecord

NEAR = timedelta(minutes=10)
"""How far apart two pages may be that are taken for one that moved."""
_FIGURES = re.compile(r"\d[\d.,:]*")


class Paged(Struct, frozen=True, order=True):
    """What makes two pages the same to the one who gets them; ids follow the rules' shape and may differ."""

    time: str
    to: str
    severity: str
    reason: str
    summary: str
    channel: str
    """As `kind:target`: another one may wake somebody, or nobody."""


class Difference(Struct, frozen=True):
    """Pages that only the earlier (`gone`) or only the present run (`new`) sent, by time.

    `moved`: pages of one sentence (figures aside), at most ten minutes apart, that went to somebody else,
    over another channel, at another time, or with another severity: as they were, and as they are.
    """

    gone: Sequence[Paged]
    new: Sequence[Paged]
    moved: Sequence[tuple[Paged, Paged]] = ()

    def __bool__(self) -> bool:
        return bool(self.gone or self.new or self.moved)


class _Kind(Struct):
    kind: str


def paged(page: Page | PageRecord) -> Paged:
    """A page as its receiver sees it."""
    channel = page.channel
    shown = channel if isinstance(channel, str) else f"{channel.kind}:{channel.target}"
    return Paged(page.time.isoformat(), page.to, page.severity, page.reason, page.summary, shown)


def earlier(path: Path) -> Sequence[Paged]:
    """The pages among the records of an earlier run.

    Raises:
        Unreadable: the file is not there, or holds something else than records.
    """
    found = []
    for line in lines([path]):
        try:
            if msgspec.json.decode(line.value, type=_Kind).kind == "page":
                found.append(paged(msgspec.json.decode(line.value, type=PageRecord)))
        except msgspec.DecodeError as error:
            raise Unreadable(f"{line}: not a record of `oversight replay --json`: {error}") from error
    return found


def compare(before: Iterable[Paged], now: Iterable[Paged]) -> Difference:
    """What differs. Pages are matched one to one: equal ones, then those that moved least."""
    old, new = Counter(before), Counter(now)
    gone, coming = sorted((old - new).elements()), sorted((new - old).elements())
    moved: list[tuple[Paged, Paged]] = []
    for alike in (_is_elsewhere, _is_later):
        for page in tuple(gone):
            near = [each for each in coming if alike(page, each)]
            if near:
                found = min(near, key=lambda each: (_apart(page, each), each.to != page.to, each))
                gone.remove(page)
                coming.remove(found)
                moved.append((page, found))
    return Difference(gone, coming, sorted(moved))


def _is_elsewhere(page: Paged, other: Paged) -> bool:
    return (page.time, page.summary) == (other.time, other.summary)


def _is_later(page: Paged, other: Paged) -> bool:
    return _apart(page, other) <= NEAR and _sentence(page) == _sentence(other)


def _apart(page: Paged, other: Paged) -> timedelta:
    return abs(datetime.fromisoformat(page.time) - datetime.fromisoformat(other.time))


def _sentence(page: Paged) -> str:
    return _FIGURES.sub("#", page.summary)


class Load(Struct, frozen=True):
    """Pages of one person, in the earlier run and in the present one: all, and the most in one hour."""

    to: str
    before: int
    now: int
    hour_before: int
    hour_now: int


def loads(before: Sequence[Paged], now: Sequence[Paged]) -> Sequence[Load]:
    """The load of everybody who is paged in either, the heaviest of the present run first."""
    found = [
        Load(to, *(_count(to, run) for run in (before, now)), *(_peak(to, run) for run in (before, now)))
        for to in {each.to for each in (*before, *now)}
    ]
    return sorted(found, key=lambda each: (-each.now, -each.before, each.to))


def _count(to: str, pages: Iterable[Paged]) -> int:
    return sum(each.to == to for each in pages)


def _peak(to: str, pages: Iterable[Paged]) -> int:
    """The most pages of somebody in an hour by the clock (UTC)."""
    return max(Counter(each.time[:13] for each in pages if each.to == to).values(), default=0)
