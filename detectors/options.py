"""Options of detectors as a configuration writes them: texts, lists and mappings of texts."""

from collections.abc import Iterable, Mapping
from math import inf, nan
from typing import Any


class Unknown(ValueError):  # noqa: N818 - says what it is
    """A word that is none of those there are. `what`: of which kind it should be one."""

    def __init__(self, what: str, word: str, known: Iterable[str]) -> None:
        self.what, self.word, self.known = what, word, tuple(known)
        super().__init__(f'no {what} "{word}": {self.expected}')

    @property
    def expected(self) -> str:
        """What may be written."""
        return f"expected {'one of ' * (len(self.known) > 1)}{', '.join(self.known)}"


def truth(options: Mapping[str, Any], name: str) -> bool:
    """A truth value, false where it is not given.

    Raises:
        ValueError: it is none.

    >>> truth({"required": "true"}, "required")
    True
    """
    given = str(options.get(name, False))
    if given.lower() not in {"true", "false"}:
        raise ValueError(f"expected true or false, found {given!r}")
    return given.lower() == "true"


def texts(options: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts, empty where it is not given.

    Raises:
        ValueError: it is none.
    """
    given = options.get(name, ())
    if not isinstance(given, list | tuple):
        raise ValueError(f"expected a list, found {given!r}")  # noqa: TRY004 - a wrong option is a wrong value
    return tuple(map(str, given))


def number(given: object) -> float:
    """A finite number, 0 or above.

    Raises:
        ValueError: it is none.
    """
    try:
        found = float(str(given))
    except ValueError:
        found = nan
    if not 0 <= found < inf:
        raise ValueError(f"expected a number from 0 on, found {given!r}")
    return found


def positive(given: object) -> float:
    """A finite number above 0.

    Raises:
        ValueError: it is none.
    """
    found = number(given)
    if not found:
        raise ValueError(f"expected a number above 0, found {given!r}")
    return found
