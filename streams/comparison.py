"""Two runs over the same events: which pages came, which went."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from schemas.page import Page
from streams.files import Unreadable, lines
from streams.records import PageRecord


class Paged(Struct, frozen=True, order=True):
    """What makes two pages the same to the one who gets them; ids follow the rules' shape and may differ."""

    time: str
    to: str
    severity: str
    reason: str
    summary: str


class Difference(Struct, frozen=True):
    """Pages that only the earlier (`gone`) or only the present run (`new`) sent, by time."""

    gone: Sequence[Paged]
    new: Sequence[Paged]


class _Kind(Struct):
    kind: str


def paged(page: Page | PageRecord) -> Paged:
    """A page as its receiver sees it."""
    return Paged(page.time.isoformat(), page.to, page.severity, page.reason, page.summary)


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
    """What differs; equal pages are matched one to one."""
    old, new = Counter(before), Counter(now)
    return Difference(sorted((old - new).elements()), sorted((new - old).elements()))
