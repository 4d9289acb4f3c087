"""The last failures of a stream, kept in half the bytes that msgpack takes for the same."""

from array import array
from collections.abc import Sequence
from itertools import chain
from typing import Any, Self

import msgspec

from detectors.contrast import DIMENSIONS
from detectors.dense import column, listed, numbers, texts
from detectors.failures.affected import MOST_MARKS, Mark

TEXTS = 2 + len(DIMENSIONS)
"""Of each: kind, error, and the values of its dimensions."""


class Marks:
    """At most sixteen, the newest last."""

    __slots__ = ("last",)

    def __init__(self, last: Sequence[Mark] = ()) -> None:
        self.last = [*last]

    def add(self, mark: Mark) -> None:
        """One more."""
        self.last = [*self.last[1 - MOST_MARKS :], mark]

    def packed(self) -> list[Any]:
        """What `unpacked` takes: times, digests, and texts, of which most are alike."""
        if not self.last:
            return []
        digests = zip(*((each.session, each.user, each.tenant) for each in self.last), strict=True)
        said = chain.from_iterable((each.kind, each.error, *each.values) for each in self.last)
        return [array("d", (each.at for each in self.last)).tobytes(), *map(column, digests), *listed(said)]

    @classmethod
    def unpacked(cls, saved: Sequence[Any]) -> Self:
        """Goes on from what was saved; earlier versions kept marks as they are."""
        if not saved or not isinstance(saved[0], bytes):
            return cls(msgspec.convert(saved, list[Mark]))
        times, sessions, users, tenants, known, where = saved
        at = array("d", times)
        count = len(at)
        digests = zip(*(map(int, numbers(each, count)) for each in (sessions, users, tenants)), strict=True)
        every = texts(known, where, TEXTS * count)
        said = (every[begin : begin + TEXTS] for begin in range(0, len(every), TEXTS))
        return cls(
            [
                Mark(when, kind, error, session, user, tenant, tuple(values))
                for when, (session, user, tenant), (kind, error, *values) in zip(
                    at, digests, said, strict=True
                )
            ]
        )
