"""Instants in one zone, so that the same causes give the same bytes, whatever zone they were written in."""

from datetime import UTC, datetime

from msgspec.structs import replace

from schemas.signal import Signal


def utc(at: datetime) -> datetime:
    """The same instant in UTC. `at` is aware: the wire takes no other."""
    return at.astimezone(UTC)


def in_utc(signal: Signal) -> Signal:
    """The signal with all its times in UTC."""
    times = (signal.time, signal.onset, *(sample.time for sample in signal.samples))
    if all(time.tzinfo is UTC for time in times):
        return signal
    samples = tuple(replace(sample, time=utc(sample.time)) for sample in signal.samples)
    return replace(signal, time=utc(signal.time), onset=utc(signal.onset), samples=samples)
