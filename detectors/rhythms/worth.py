"""What a silence is worth, in nats, by the seconds of each of its hours and the nats a second in them."""

from collections.abc import Iterator
from math import inf

Hours = Iterator[tuple[float, float]]


def worth(length: float, hours: Hours) -> float:
    """Nats of a silence of so many seconds."""
    nats = 0.0
    for seconds, rate in hours:
        nats += min(seconds, length) * rate
        length -= seconds
        if length <= 0:
            break
    return nats


def reached(nats: float, hours: Hours) -> float:
    """Seconds after which a silence is worth so much."""
    waited = 0.0
    for seconds, rate in hours:
        if seconds * rate >= nats:
            return waited + nats / rate
        nats -= seconds * rate
        waited += seconds
    return inf
