"""How a host stands: what health and metrics are told of it."""

from collections.abc import Mapping, Sequence

from msgspec import Struct


class Condition(Struct, frozen=True, kw_only=True):
    """A host at one moment; partitions by number.

    `turn_age_s`: since it last went round. `confirmed_age_s`: since a broker last took word of how far it is,
    or since it owns anything; None: it has nothing to tell. `joined`: the group told it which
    partitions are its own.
    `restoring`: given to it, but not taken over yet. `blocked`: not read on, since what they gave cannot be
    written. `reached`: the first offset that is not done with. `lag`: records after it that the broker told
    of.
    """

    topic: str
    turn_age_s: float
    confirmed_age_s: float | None
    joined: bool
    owned: Sequence[int]
    restoring: Sequence[int]
    blocked: Sequence[int]
    reached: Mapping[int, int]
    lag: Mapping[int, int]
