"""State of latencies as the first version wrote it."""

from typing import Any

import msgspec

from detectors.latencies.sketch import bin_of
from detectors.latencies.slow_series import A_DAY, SUSPICIOUS

_PARTS, _SLOW, _SERIES = 0, 3, slice(3, 6)
_PERCENTILES, _HISTORY = 6, 13
_MEMORY, _QUIET, _COUNT = 0, 1, 1


def migrated(body: bytes) -> bytes:
    """As the present version writes it: it remembered more of each percentile, and durations for bins."""
    state: list[Any] = msgspec.msgpack.decode(body)
    for part in state[_PARTS]:
        for place, series in enumerate(part[_SERIES], _SLOW):
            if series is not None:
                _migrate(series, suspicious=place == _SLOW)
    return msgspec.msgpack.encode(state)


def _migrate(series: list[Any], *, suspicious: bool) -> None:
    for name, percentile in series[_PERCENTILES].items():
        if name not in SUSPICIOUS or (percentile[_QUIET][_COUNT] >= A_DAY and not suspicious):
            percentile[_MEMORY] = None
    series[_HISTORY] = [[bin_of(level) for level in row] for row in series[_HISTORY]]
    series.append(suspicious)
