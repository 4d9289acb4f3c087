"""Variables of the environment: what they say, or the files that they name."""

from collections.abc import Mapping
from pathlib import Path


class Misconfigured(Exception):  # noqa: N818 - says what is wrong
    """A variable is missing or says something that cannot be; the message names it and what was expected."""


class Hidden(str):
    """A secret, which no log, error or trace shows unless it is asked for by its characters."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[hidden]"

    __str__ = __repr__

    def __format__(self, _: str) -> str:
        return "[hidden]"

    def told(self) -> str:
        """What is hidden, for whom it is meant."""
        return super().__str__()


def value(variables: Mapping[str, str], name: str) -> str:
    """What a variable says or, with `_FILE` behind its name, the file that it names; empty where neither is.

    Raises:
        Misconfigured: that file cannot be read.
    """
    path = variables.get(f"{name}_FILE", "")
    if not path:
        return variables.get(name, "").strip()
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{name}_FILE: {path} cannot be read: {type(error).__name__}") from error
