"""Events of a made-up agent, for streams and tests of detectors."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from schemas.event import Event

START_S = 1_767_225_600.0
"""2026-01-01T00:00:00Z: when made-up streams begin, POSIX seconds."""


def event(at_s: float, operation: str = "chat", kind: str = "agent.operation.v1", /, **data: Any) -> Event:
    """An event that ended `at_s` POSIX seconds; `data` holds further parts by name, as in JSON."""
    given = {
        "specversion": "1.0",
        "id": f"{at_s:.6f}-{operation}-{data.get('conversation', {}).get('id', '')}",
        "source": "made-up",
        "type": kind,
        "time": datetime.fromtimestamp(at_s, UTC),
        "data": {
            "agent": {"name": "made-up"},
            **data,
            "operation": {"name": operation, **data.get("operation", {})},
        },
    }
    return msgspec.convert(given, Event)
