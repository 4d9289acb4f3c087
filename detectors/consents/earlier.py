"""State of approvals as earlier versions wrote it."""

from typing import Any

import msgspec

from detectors.consents.digests import digest_of
from detectors.consents.queue import HIGH
from detectors.detector import State

NOW = 2


def migrated(state: State, version: int) -> tuple[State, int]:
    """As the present version writes it, where it is the one before; else as it is."""
    return (
        (State(_first(msgspec.msgpack.decode(state.body)), state.parts), NOW)
        if version == 1
        else (state, version)
    )


def _first(body: list[Any]) -> bytes:
    """Version 1 had ids for digests, a sample of every request, and how long each approval took."""
    queue, approvers, consents = body
    queue[0] = {digest_of(name): _waiting(*each) for name, each in queue[0].items()}
    for approver in approvers.values():
        approver[0] = [(at, int(0 <= took < 1)) for at, took in approver[0]]
    consents[0] = {_session(name): (granted, int(at)) for name, (granted, at) in consents[0].items()}
    return msgspec.msgpack.encode(body)


def _waiting(since: float, level: str, sample: dict[str, Any]) -> tuple[Any, ...]:
    return since, level in HIGH, _session(sample.get("conversation") or ""), sample


def _session(name: str) -> int:
    return digest_of(name) if name else 0
