"""The silences that people made, read from the causes."""

from collections.abc import Sequence
from datetime import datetime

from schemas.cause import Silenced
from schemas.wire import Malformed, decode_cause
from streams.hosting.log import Log
from streams.hosting.topics import CAUSES

QUIET_READS = 5
"""So many reads in a row without a record are the end: a broker may take its time for the first."""


async def recorded(log: Log, at: datetime) -> Sequence[Silenced]:
    """Silences on the causes that hold at `at`, or will; of those with the same id the last. By their end."""
    found: dict[str, Silenced] = {}
    nothing = 0
    async for records in log.read(CAUSES, 0):
        nothing = 0 if records else nothing + 1
        if nothing >= QUIET_READS:
            break
        for record in records:
            try:
                cause = decode_cause(record.value)
            except Malformed:
                continue
            if isinstance(cause, Silenced):
                found[cause.id] = cause
    return sorted(
        (each for each in found.values() if each.until > at), key=lambda each: (each.until, each.id)
    )
