"""What is wrong with a configuration, and where."""

from collections.abc import Iterable

from msgspec import Struct


class Fault(Struct, frozen=True, order=True):
    """One fault (or warning). `line` and `column` count from 1; 0 where the whole file is meant."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        """As `file:line:column: message`, which editors can follow; what a terminal would obey is escaped."""
        said = f"{self.file}:{self.line}:{self.column}: {self.message}"
        return "".join(each if each.isprintable() else repr(each)[1:-1] for each in said)


class ConfigFaults(ValueError):  # noqa: N818 - the plural says what it holds
    """A configuration that cannot be followed. `faults`: all that were found, by place, each once."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(each) for each in self.faults))
