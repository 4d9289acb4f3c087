"""The configuration that a bank follows: altogether or, where one detector cannot, not at all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from detectors.detector import Detector
from detectors.settings import Settings, Watch
from schemas.cause import ConfigFile

SettingsOf = Callable[[Sequence[ConfigFile]], Settings]


class Misfit(Struct, frozen=True):
    """What a detector cannot follow. `path`: where it stands in a configuration; `what`: by its name."""

    path: tuple[str | int, ...]
    what: str
    reason: str

    def __str__(self) -> str:
        """In one line."""
        return f"{self.what}: {self.reason}"


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
        misfit = next(misfits(settings, self.kinds), None)
        if misfit is not None:
            raise ValueError(str(misfit))
        before, self.settings = self.settings, settings
        return [name for name in self.kinds if before.on(name) and not settings.on(name)]


def misfits(settings: Settings, kinds: Mapping[str, type[Detector]]) -> Iterator[Misfit]:
    """Makes one of each detector for everybody who is watched apart, or whose rollouts are."""
    for watch in (Watch(), *settings.agents):
        for name, kind in kinds.items():
            options = settings.options(name)
            yield from _tried(kind, watch, options, ("detectors", name), f"detectors: {name}")
    if "rollout" in kinds:
        for at, (glob, apart) in enumerate(settings.rollouts):
            options = settings.overridden("rollout", apart)
            yield from _tried(kinds["rollout"], Watch(), options, ("rollouts", at), f"rollouts: {glob}")


def _tried(
    kind: type[Detector], watch: Watch, options: Mapping[str, Any], path: tuple[str | int, ...], what: str
) -> Iterator[Misfit]:
    try:
        kind(watch, options)
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is told
        yield Misfit(path, what, f"{type(fault).__name__}: {fault}")
