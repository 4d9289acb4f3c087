"""The router's state as bytes: a small body, and parts of which only those that changed are written again."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from routing.incidents.alignment import Alignment, Waiting, Watermarks
from routing.incidents.incident import Case, Kept
from routing.incidents.intake import Held, Intake
from routing.incidents.renaming import name_anew
from routing.incidents.state import BUCKETS, Core, State
from schemas.cause import ConfigFile
from schemas.record import Saved

VERSION = 1
"""Of the format of body and parts. `unpack` migrates what an older version wrote."""
FILES, HELD, WAITING, CASES = "policy", "held", "waiting", "cases-"


class Body(Kept):
    """The moving part."""

    core: Core
    watermarks: Watermarks
    applied: int
    origins: dict[str, tuple[int, int]]
    digests: tuple[str, ...] = ()


class Restored(NamedTuple):
    """What was saved."""

    state: State
    alignment: Alignment
    intake: Intake


_encoder = msgspec.msgpack.Encoder()
_body = msgspec.msgpack.Decoder(Body)
_cases = msgspec.msgpack.Decoder(list[Case])
_files = msgspec.msgpack.Decoder(tuple[ConfigFile, ...])
_held = msgspec.msgpack.Decoder(list[Held])
_waiting = msgspec.msgpack.Decoder(list[Waiting])


class Packing:
    """Remembers the bytes of buckets that did not change, so that saving costs what changed."""

    def __init__(self) -> None:
        self._buckets: dict[str, bytes] = {}

    def pack(self, state: State, alignment: Alignment, intake: Intake, wake_at: float | None) -> Saved:
        """Everything, as of now. Buckets of incidents count as unchanged from here on."""
        body = Body(
            core=state.core,
            watermarks=alignment.watermarks,
            applied=intake.applied,
            origins=intake.origins,
            digests=intake.digests,
        )
        for number in sorted(state.changed):
            self._bucket(state, number)
        state.changed.clear()
        parts = {**dict(sorted(self._buckets.items())), **dict(_large(alignment, intake))}
        return Saved(intake.applied, _encoder.encode(body), VERSION, wake_at, parts)

    def _bucket(self, state: State, number: int) -> None:
        name = f"{CASES}{number:02x}"
        cases = state.buckets[number]
        if cases:
            self._buckets[name] = _encoder.encode([cases[case_id] for case_id in sorted(cases)])
        else:
            self._buckets.pop(name, None)


def unpack(saved: Saved) -> Restored:
    """What `pack` wrote. Every bucket counts as changed, so the next save writes it from the state.

    Raises:
        ValueError: a later version wrote it, or it is damaged.
    """
    if saved.version != VERSION:
        raise ValueError(f"router state has version {saved.version}, expected {VERSION}")
    body = _body.decode(saved.body)
    names = sorted(name for name in saved.parts if name.startswith(CASES))
    cases = [case for name in names for case in _cases.decode(saved.parts[name])]
    name_anew(body.core, cases)
    state = State(body.core, cases)
    state.changed.update(range(BUCKETS))
    waiting = _waiting.decode(saved.parts[WAITING]) if WAITING in saved.parts else []
    intake = Intake(
        applied=body.applied,
        origins=body.origins,
        digests=body.digests,
        files=_files.decode(saved.parts[FILES]) if FILES in saved.parts else (),
        held=_held.decode(saved.parts[HELD]) if HELD in saved.parts else [],
    )
    return Restored(state=state, alignment=Alignment(body.watermarks, waiting), intake=intake)


def _large(alignment: Alignment, intake: Intake) -> Iterator[tuple[str, bytes]]:
    found: Mapping[str, object] = {FILES: intake.files, HELD: intake.held, WAITING: alignment.waiting}
    for name, value in found.items():
        if value:
            yield name, _encoder.encode(value)
