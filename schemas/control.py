"""Control records: what moves a detector besides events; the host writes them into `agent.events`."""

from typing import Final, Literal

from msgspec import Struct

from schemas.cause import ConfigFile
from schemas.signal import Time

CONTROL_TYPE: Final = "oversight.control.v1"


class Control(Struct, frozen=True, kw_only=True, tag_field="control"):
    """`type` tells it from an event, so it is always written; `time` is event time."""

    time: Time
    type: Literal["oversight.control.v1"] = CONTROL_TYPE


class Tick(Control, frozen=True, tag="tick"):
    """Time passed in a partition although no event came.

    `last`: published history ends here; that nothing more comes is no news of anybody.
    """

    last: bool = False


class Settings(Control, frozen=True, tag="config"):
    """The configuration that detectors follow from here on."""

    digest: str
    files: tuple[ConfigFile, ...]


class Rebase(Control, frozen=True, tag="rebase"):
    """This is the new normal: the finding's detector learns its baseline anew for this agent."""

    agent: str
    detector: str
    by: str = ""


class Probe(Control, frozen=True, tag="probe"):
    """Changes nothing: goes through to whoever notifies, to show that records do. `time`: of its sending."""


AnyControl = Tick | Settings | Rebase | Probe
