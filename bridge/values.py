"""What an attribute says, as the type that is wanted of it; None where it says no such thing."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import msgspec

from bridge.raw import Attributes

LONGEST_NAME = 256
LONGEST_MESSAGE = 512
LARGEST = 2**63 - 1


def text(attributes: Attributes, names: Sequence[str]) -> str | None:
    """The first that is said and not empty, at most 256 characters of it."""
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str) and value:
            return value[:LONGEST_NAME]
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)[:LONGEST_NAME]
    return None


def count(attributes: Attributes, names: Sequence[str]) -> int | None:
    """The first whole number that is not negative, also where it is written as text or as `3.0`."""
    for name in names:
        number = _number(attributes.get(name))
        if number is not None and 0 <= number <= LARGEST and number == int(number):
            return int(number)
    return None


def measure(attributes: Attributes, names: Sequence[str]) -> float | None:
    """The first number that is neither negative nor beyond all bounds."""
    for name in names:
        number = _number(attributes.get(name))
        if number is not None and number >= 0:
            return float(number)
    return None


def texts(attributes: Attributes, names: Sequence[str]) -> tuple[str, ...] | None:
    """The first list of texts; a single text, and a list in JSON, is one as well."""
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str) and value.startswith("["):
            value = parsed(value)
        several = [value] if isinstance(value, str) else value
        if isinstance(several, list) and several:
            return tuple(str(each)[:LONGEST_NAME] for each in several)
    return None


def within(attributes: Attributes, name: str, key: str) -> str | None:
    """What an attribute that is a mapping in JSON has under a key."""
    value = attributes.get(name)
    several = parsed(value) if isinstance(value, str) else None
    return text(several, [key]) if isinstance(several, dict) else None


def parsed(value: str) -> Any:
    """What JSON in an attribute says; None where it is none."""
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value) if value else None
        except ValueError:
            return None
    # An integer may be too large to be a float at all.
    if isinstance(value, int):
        return value if abs(value) <= LARGEST else None
    return value if isinstance(value, float) and isfinite(value) else None
