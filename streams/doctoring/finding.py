"""What an examination finds."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

Part = Literal["environment", "broker", "rights", "topics", "groups", "config", "channels", "clock"]
Level = Literal["ok", "warn", "fail"]


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was looked at. `about`: which; `remedy`: what to do, where it is not `ok`."""

    part: Part
    about: str
    level: Level
    what: str
    remedy: str = ""


def worst(findings: Iterable[Finding]) -> Level:
    """`fail` goes before `warn`, that before `ok`."""
    levels = {each.level for each in findings}
    return "fail" if "fail" in levels else "warn" if "warn" in levels else "ok"
