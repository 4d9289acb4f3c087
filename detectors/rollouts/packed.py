"""Open sessions as bytes: 31 a session."""

from collections.abc import Iterable, Iterator
from struct import Struct as Layout

from msgspec import Struct

from detectors.rollouts.sessions import TICKS, Session, Sessions, Usual

_ROW = Layout("<IIIdIHBBBBB")
"""Digest; ticks from the first begin to this one, and to its end; USD; tokens; share; flags; stratum, schema,
poor and scored evaluations.
"""
_DIGEST = Layout("<I")
SHARES = 10_000
"""A share is kept to a hundredth of a percent."""
LONGEST_TICKS = 2**32 - 1
_CANARY, _FAILED, _SLIPPED, _ENDED, _FAULTY = 1, 2, 4, 8, 16


class Packed(Struct, array_like=True):
    """A `Sessions`. `base`: POSIX seconds from which ticks are counted. States of old do not say `ends`."""

    base: float
    open: bytes
    closed: bytes
    strata: list[str]
    schemas: list[str]
    starts: bool
    turned_away: int
    usual: Usual
    means: dict[str, list[float]]
    ends: bool = True


def pack(sessions: Sessions) -> Packed:
    """What `unpack` takes: the same sessions, to the bit."""
    base = next((each.began for each in sessions.open.values()), 0.0)
    return Packed(
        base,
        b"".join(_row(base, key, each) for key, each in sessions.open.items()),
        b"".join(_DIGEST.pack(each) for each in sessions.closed),
        sessions.strata,
        sessions.schemas,
        sessions.starts,
        sessions.turned_away,
        sessions.usual,
        sessions.means,
        sessions.ends,
    )


def unpack(packed: Packed) -> Sessions:
    """The sessions that were packed."""
    return Sessions(
        open=dict(_open(packed.base, _ROW.iter_unpack(packed.open))),
        closed={digest: 1 for (digest,) in _DIGEST.iter_unpack(packed.closed)},
        strata=packed.strata,
        schemas=packed.schemas,
        starts=packed.starts,
        turned_away=packed.turned_away,
        usual=packed.usual,
        means=packed.means,
        ends=packed.ends,
    )


def rounded(share: float) -> float:
    """A share in (0, 1) as it is kept."""
    return max(1, min(SHARES - 1, round(share * SHARES))) / SHARES


def _row(base: float, key: int, each: Session) -> bytes:
    flags = _CANARY * each.canary + _FAILED * each.failed + _SLIPPED * each.slipped + _FAULTY * each.faulty
    flags += _ENDED * bool(each.ended)
    lasted = _ticks(each.ended - each.began) if each.ended else 0
    share = 0 if each.share is None else round(each.share * SHARES)
    facts = (each.cost, each.tokens, share, flags, each.stratum, each.schema, each.poor, each.scored)
    return _ROW.pack(key, _ticks(each.began - base), lasted, *facts)


def _open(base: float, rows: Iterable[tuple[float, ...]]) -> Iterator[tuple[int, Session]]:
    for key, began, lasted, cost, tokens, share, bits, stratum, schema, poor, scored in rows:
        flags, at = int(bits), base + began / TICKS
        yield (
            int(key),
            Session(
                began=at,
                canary=bool(flags & _CANARY),
                share=share / SHARES if share else None,
                stratum=int(stratum),
                schema=int(schema),
                ended=at + lasted / TICKS if flags & _ENDED else 0.0,
                failed=bool(flags & _FAILED),
                slipped=bool(flags & _SLIPPED),
                faulty=bool(flags & _FAULTY),
                cost=cost,
                tokens=int(tokens),
                poor=int(poor),
                scored=int(scored),
            ),
        )


def _ticks(seconds: float) -> int:
    return min(LONGEST_TICKS, round(seconds * TICKS))
