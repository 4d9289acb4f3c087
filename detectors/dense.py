"""State in few bytes, to the bit: rows of numbers as columns, each as narrow as its numbers are.

What is kept so is a class of its own, which says how; everything else in a state is plain msgpack.
"""

from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import copysign
from operator import sub
from typing import Any, Protocol, Self, TypeVar

import msgspec

Number = int | float
"""A whole number takes a byte or two in msgpack, a float always nine: what is 0 or counts is kept whole."""
Row = list[int]
Kept = TypeVar("Kept")

_WHOLE = (("B", 2**8), ("H", 2**16), ("I", 2**32), ("Q", 2**64))


class Dense(Protocol):
    """What is kept as something denser than it is computed with."""

    def packed(self) -> object:
        """What `unpacked` takes, of what msgpack knows: the same for what is equal."""
        ...

    @classmethod
    def unpacked(cls, saved: Any) -> Self:
        """Goes on from what was saved, by this version or an earlier one."""
        ...


def encoded(state: object) -> bytes:
    """A state as msgpack."""
    return _encode(state)


def decoded(body: bytes, shape: type[Kept]) -> Kept:
    """The state that was encoded."""
    return msgspec.msgpack.decode(body, type=shape, dec_hook=_unpacked)


def _packed(value: Dense) -> object:
    return value.packed()


def _unpacked(kind: type[Dense], saved: object) -> Dense:
    return kind.unpacked(saved)


_encode = msgspec.msgpack.Encoder(enc_hook=_packed).encode


def column(values: Sequence[float]) -> bytes:
    """Numbers, each in the fewest bytes that hold all of them as they are; none where all are 0.

    Whole numbers below 2**64 or, beside others, up to 2**53.
    """
    if not any(values) and not any(array("d", values).tobytes()):  # a bit is set in a negative zero
        return b""
    if isinstance(values[0], int):
        try:
            return b"B" + array("B", values).tobytes()
        except (OverflowError, TypeError):
            narrow = _narrow(values)
        if narrow:
            return narrow
    double = array("d", values)
    if all(map(float.is_integer, double)):
        narrow = _narrow([*map(int, values)])
        if narrow and not _is_negative_zero_in(double):
            return narrow
    exact = double.tolist()
    single = array("f", exact)
    return b"f" + single.tobytes() if single.tolist() == exact else b"d" + double.tobytes()


def _narrow(values: Sequence[float]) -> bytes:
    """Ints in the narrowest array; nothing where there is anything else, or one is negative or too large."""
    try:
        widest = array("Q", values)
    except (OverflowError, TypeError):
        return b""
    most = max(values)
    code = next(code for code, end in _WHOLE if most < end)
    return code.encode() + array(code, widest).tobytes()


def _is_negative_zero_in(values: "array[float]") -> bool:
    return 0.0 in values and any(copysign(1.0, each) < 0 for each in values if not each)


def numbers(kept: bytes, count: int) -> list[Number]:
    """The numbers of a column; those that were whole are ints."""
    return list(array(chr(kept[0]), kept[1:])) if kept else [0] * count


def rising_packed(values: Sequence[float]) -> list[Any]:
    """Whole numbers, none below the one before it: the first, how many, and gaps."""
    return [int(values[0]), len(values), column([*map(sub, values[1:], values)])] if values else []


def rising(first: int, count: int, gaps: bytes) -> list[int]:
    """The numbers that were packed."""
    return [*accumulate(map(int, numbers(gaps, count - 1)), initial=first)]


def rows_packed(rows: Sequence[Sequence[float]]) -> list[Any]:
    """Rows of as many numbers each, that begin with ever higher whole ones: these, then columns."""
    if not rows:
        return []
    first, *others = zip(*rows, strict=True)
    return [*rising_packed(first), *map(column, others)]


def rows_unpacked(saved: Sequence[Any]) -> list[list[Any]]:
    """The rows that were packed; those of earlier versions are rows already."""
    if not saved or not isinstance(saved[0], int):
        return [list(row) for row in saved]
    first, count, gaps, *others = saved
    columns = rising(first, count, gaps), *(numbers(each, count) for each in others)
    return [list(row) for row in zip(*columns, strict=True)]


def listed(said: Iterable[str | None]) -> tuple[list[str | None], bytes]:
    """Texts of which many are alike: each once, and which of them is where."""
    places: dict[str | None, int] = {}
    where = [places.setdefault(name, len(places)) for name in said]
    return [*places], column(where)


def texts(known: Sequence[str | None], where: bytes, count: int) -> list[Any]:
    """The texts again."""
    return [known[int(each)] for each in numbers(where, count)]


class Rows:
    """Rows of as many floats each, that begin with ever higher whole ones."""

    __slots__ = ("rows",)

    def __init__(self, rows: Sequence[Sequence[float]] = ()) -> None:
        self.rows = [[*map(float, row)] for row in rows]

    def packed(self) -> list[Any]:
        """What `unpacked` takes."""
        return rows_packed(self.rows)

    @classmethod
    def unpacked(cls, saved: Sequence[Any]) -> Self:
        """Goes on from what was saved."""
        return cls(rows_unpacked(saved))


class Column:
    """Floats."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[float] = ()) -> None:
        self.values = [*map(float, values)]

    def packed(self) -> list[Any]:
        """What `unpacked` takes."""
        return [len(self.values), column(self.values)] if self.values else []

    @classmethod
    def unpacked(cls, saved: Sequence[Any]) -> Self:
        """Goes on from what was saved."""
        if saved and isinstance(saved[-1], bytes):
            count, kept = saved
            return cls(numbers(kept, count))
        return cls(saved)


class Pairs:
    """Pairs of floats: times, and something each."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Iterable[Sequence[float]] = ()) -> None:
        self.pairs = [(float(at), float(value)) for at, value in pairs]

    def packed(self) -> list[Any]:
        """What `unpacked` takes."""
        return [len(self.pairs), *map(column, zip(*self.pairs, strict=True))] if self.pairs else []

    @classmethod
    def unpacked(cls, saved: Sequence[Any]) -> Self:
        """Goes on from what was saved; earlier versions kept the pairs."""
        if not saved or not isinstance(saved[0], int):
            return cls(saved)
        count, *columns = saved
        return cls(zip(*(numbers(each, count) for each in columns), strict=True))


def single(value: float) -> float:
    """The nearest float of 32 bits: within 6e-8 of it, and kept in half the bytes."""
    return array("f", (value,))[0]


def singles(values: Sequence[float]) -> list[float]:
    """The same of several."""
    return array("f", values).tolist()
