"""The configuration that a bank follows: altogether or, where one detector cannot, not at all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from detectors.detector import Detector
from detectors.options import Unknown
from detectors.settings import Settings, Watch
from schemas.cause import ConfigFile

Options = Mapping[str, Any]
Path = tuple[str | int, ...]
SettingsOf = Callable[[Sequence[ConfigFile]], Settings]
GENERAL = ("enabled",)
"""Options of every detector: they are followed by what makes it."""


class Misfit(Struct, frozen=True):
    """What a detector cannot follow. `path`: where it stands in a configuration; `what`: by its name.

    `word`: the name that there is none of, of those in `known`, where that is what is wrong.
    """

    path: Path
    what: str
    reason: str
    word: str = ""
    known: tuple[str, ...] = ()

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
            trial, own = _Trial(kind, watch, settings.options(name)), settings.detectors.get(name, {})
            yield from trial.misfits(("detectors", name), f"detectors: {name}", own)
    if "rollout" in kinds:
        for at, (glob, apart) in enumerate(settings.rollouts):
            trial = _Trial(kinds["rollout"], Watch(), settings.overridden("rollout", apart))
            yield from trial.misfits(("rollouts", at), f"rollouts: {glob}", apart)


def strangers(settings: Settings, kinds: Mapping[str, type[Detector]]) -> Iterator[Misfit]:
    """Options that no detector has. Who follows passes over them: an older configuration may have some."""
    for name, options in settings.detectors.items():
        known = (*GENERAL, *sorted(kinds[name].takes)) if name in kinds else tuple(options)
        for option in options:
            if option not in known:
                unknown = Unknown("option", option, known)
                yield Misfit(("detectors", name, option), f"detectors: {name}", str(unknown), option, known)


class _Trial(Struct, frozen=True):
    """A detector that is to be made of these options."""

    kind: type[Detector]
    watch: Watch
    options: Options

    def misfits(self, path: Path, what: str, own: Options) -> Iterator[Misfit]:
        """What it refuses. `own`: the options at `path`; each that does not hold by itself is told there."""
        whole = self._fault(self.options)
        if whole is None:
            return
        apart = [(where, fault) for where, part in _parts(own) if (fault := self._fault(part)) is not None]
        for where, fault in apart or [((), whole)]:
            word, known = (fault.word, fault.known) if isinstance(fault, Unknown) else ("", ())
            names = what if word or not where else f"{what}: {where[0]}"
            yield Misfit((*path, *where), names, _reason(fault), word, known)

    def _fault(self, options: Options) -> Exception | None:
        try:
            self.kind(self.watch, options)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is told
            return fault
        return None


def _parts(options: Options) -> Iterator[tuple[Path, Options]]:
    """Each option by itself; of lists and mappings each entry."""
    for name, value in options.items():
        if isinstance(value, Mapping) and value:
            yield from (((name, key), {name: {key: each}}) for key, each in value.items())
        elif isinstance(value, list) and value:
            yield from (((name, at), {name: [each]}) for at, each in enumerate(value))
        else:
            yield (name,), {name: value}


def _reason(fault: Exception) -> str:
    return str(fault) if isinstance(fault, ValueError) else f"{type(fault).__name__}: {fault}"
