"""Control records: what moves a detector besides events, written into the log of `agent.events` by the host."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.cause import ConfigFile

CONTROL_TYPE = "oversight.control.v1"
Time = Annotated[datetime, Meta(tz=True)]


class Control(Struct, frozen=True, kw_only=True, tag_field="control"):
    """`type` tells it from an event, so it is always written; `time` is event time."""

    time: Time
    type: Literal["oversight.control.v1"] = CONTROL_TYPE


class Tick(Control, tag="tick"):
    """Time passed in a partition although no event came."""


class Settings(Control, tag="config"):
    """The configuration that detectors follow from here on."""

    digest: str
    files: tuple[ConfigFile, ...]


class Rebase(Control, tag="rebase"):
    """"This is the new normal": the finding's detector learns its baseline anew for this agent."""

    agent: str
    detector: str
    by: str = ""


AnyControl = Tick | Settings | Rebase
