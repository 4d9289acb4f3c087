"""What agents are known by their saved states alone, and for what their detectors still wait."""

from collections.abc import Iterator, Mapping

import msgspec

from detectors.agent import AgentState, last_event
from detectors.detector import Detector
from detectors.following import SettingsOf
from detectors.mark import Mark
from detectors.settings import Settings
from schemas.record import Saved


class Known(msgspec.Struct, frozen=True):
    """An agent. `heard`: POSIX seconds of its last event. `warming`: by detector, what it lacks."""

    agent: str
    heard: float
    warming: Mapping[str, tuple[str, ...]]


def known(
    mark: bytes, saved: Mapping[str, Saved], settings_of: SettingsOf, kinds: Mapping[str, type[Detector]]
) -> Iterator[Known]:
    """The agents of a partition by what was saved of it; by the defaults where its settings hold no more."""
    of = Mark.read(mark)
    try:
        settings = settings_of(of.files)
    except ValueError:
        settings = Settings()
    for name, each in saved.items():
        state = AgentState.load(name, kinds, settings, each, of.forgotten)
        yield Known(name, last_event(each), state.warming)
