"""The configuration that a bank follows: altogether or, where one detector cannot, not at all."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from detectors.detector import Detector
from detectors.settings import Settings, Watch
from schemas.cause import ConfigFile

SettingsOf = Callable[[Sequence[ConfigFile]], Settings]


class Following:
    """`settings_of`: reads a configuration (raises ValueError where it does not hold). `kinds`: by name."""

    def __init__(self, settings_of: SettingsOf, kinds: Mapping[str, type[Detector]]) -> None:
        self.kinds = kinds
        self.settings = Settings()
        self._settings_of = settings_of

    def follow(self, files: Sequence[ConfigFile]) -> Sequence[str]:
        """Follows these from here on; returns the detectors that they switch off.

        Raises:
            ValueError: they do not hold, or a detector cannot follow them; nothing has changed.
        """
        settings = self._settings_of(files)
        self._try(settings)
        before, self.settings = self.settings, settings
        return [name for name in self.kinds if before.on(name) and not settings.on(name)]

    def _try(self, settings: Settings) -> None:
        """Makes one of each detector for everybody who is watched apart, or whose rollouts are."""
        for watch in (Watch(), *settings.agents):
            for name, kind in self.kinds.items():
                _make(f"detectors: {name}", kind, watch, settings.options(name))
        for glob, _ in settings.rollouts:
            if "rollout" in self.kinds:
                options = settings.options("rollout", glob)
                _make(f"rollouts: {glob}", self.kinds["rollout"], Watch(), options)


def _make(what: str, kind: type[Detector], watch: Watch, options: Mapping[str, Any]) -> None:
    try:
        kind(watch, options)
    except Exception as fault:
        raise ValueError(f"{what}: {type(fault).__name__}: {fault}") from fault
