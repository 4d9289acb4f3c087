"""Shifts of bare texts, without events and time."""

from collections.abc import Sequence
from zlib import crc32

from detectors.inputs.admission import MOST_SESSIONS
from detectors.inputs.recent_inputs import short
from detectors.inputs.shift_finding import Shift
from detectors.inputs.text_reading import read
from detectors.inputs.text_watch import TextWatch

TEXTS_APART = 8_000.0
"""Texts between two false alarms, at least and on average."""
_EACH_S = 259.2
"""Bare texts are taken to come at 10,000 in 30 days."""
_APART = 1024


class TextShift:
    """The same on bare texts, without events and time: for judges and notebooks.

    `reference`: at least one text. `seed` is not used: nothing here is random.
    """

    def __init__(self, reference: Sequence[str], seed: int = 0) -> None:
        self.seed = seed
        self._fresh = TextWatch(len(reference), TEXTS_APART)
        for at, text in enumerate(reference):
            self._fresh.take(read(text), (0, 0, 0), at * _EACH_S)
        self._sessions: dict[str, int] = {}
        self._held = False
        self._watch = self._fresh
        self.reset()

    def update(self, text: str, session: str | None = None) -> Shift | None:
        """Takes one text; returns the shift when it is found. Of a session one text in 1,024 is looked at."""
        self._seen += 1
        if session is not None and not self._admits(session):
            return None
        self._watch.take(read(text), (short(hashed(session)), 0, 0), self._seen * _EACH_S)
        held, self._held = self._held, self._watch.hold is not None
        return None if held else Shift.of(self._watch)

    def _admits(self, session: str) -> bool:
        last = self._sessions.get(session)
        if last is not None and self._seen - last < _APART:
            return False
        self._sessions.pop(session, None)
        self._sessions[session] = self._seen
        if len(self._sessions) > MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        return True

    def reset(self) -> None:
        """Back to the state just after the reference."""
        self._seen = self._fresh.size
        self._held = False
        self._sessions = {}
        saved, parts = self._fresh.save()
        self._watch = TextWatch(self._fresh.size, self._fresh.apart)
        self._watch.load(saved, parts)


def hashed(name: str | None) -> int:
    """32 bits, 0 for no name."""
    return crc32(name.encode("utf-8", "surrogatepass")) if name else 0
