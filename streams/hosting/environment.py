"""What a worker is told by its environment, and what it falls back to."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, cast

from msgspec import Struct

from streams.hosting.connection import security
from streams.hosting.variables import Misconfigured
from streams.watching.waiting import Limits
from streams.watching.watched import Ears, ears

BEHIND = Limits()


class Environment(Struct, frozen=True, kw_only=True):
    """A worker's surroundings.

    `kafka`: `host:port`, several by comma. `security`: TLS and SASL, as aiokafka takes them.
    `session`: see `Hosting`. `snapshot_age`: state that
    has not been written for so long is written. `name`: what the groups are called. `alive`: a file that is
    touched while the worker works. `ears`: who else is told of its health. `limits`: when it is behind, and
    says so.
    """

    kafka: str
    config: Path
    clock: Literal["wall", "events"] = "wall"
    name: str = "oversight"
    session: timedelta = timedelta(seconds=10)
    snapshot_age: timedelta = timedelta(seconds=10)
    alive: Path | None = None
    security: Mapping[str, Any] = {}
    ears: Ears = Ears()
    limits: Limits = Limits()

    @property
    def connection(self) -> dict[str, Any]:
        """What aiokafka takes."""
        return {"bootstrap_servers": self.kafka, **self.security}


def read(variables: Mapping[str, str]) -> Environment:
    """From variables: OVERSIGHT_KAFKA, _CONFIG, and what `oversight worker --help` tells of besides.

    Raises:
        Misconfigured: one is missing or cannot be.
    """
    for needed, what in (
        ("OVERSIGHT_KAFKA", "host:port of the brokers"),
        ("OVERSIGHT_CONFIG", "a YAML file or a folder"),
    ):
        if not variables.get(needed):
            raise Misconfigured(f"{needed} is not set; expected {what}")
    clock = variables.get("OVERSIGHT_CLOCK", "wall")
    if clock not in {"wall", "events"}:
        raise Misconfigured(f"OVERSIGHT_CLOCK is {clock!r}; expected wall or events")
    return Environment(
        kafka=variables["OVERSIGHT_KAFKA"],
        config=Path(variables["OVERSIGHT_CONFIG"]),
        clock=cast("Literal['wall', 'events']", clock),
        name=variables.get("OVERSIGHT_NAME", "oversight"),
        session=_seconds(variables, "OVERSIGHT_SESSION_S", 10.0),
        snapshot_age=_seconds(variables, "OVERSIGHT_SNAPSHOT_S", 10.0),
        alive=Path(alive) if (alive := variables.get("OVERSIGHT_ALIVE")) else None,
        security=security(variables),
        ears=ears(variables),
        limits=Limits(
            late=_seconds(variables, "OVERSIGHT_BEHIND_S", BEHIND.late.total_seconds()),
            lasting=_seconds(variables, "OVERSIGHT_BEHIND_FOR_S", BEHIND.lasting.total_seconds()),
        ),
    )


def _seconds(variables: Mapping[str, str], name: str, default: float) -> timedelta:
    text = variables.get(name, "")
    try:
        seconds = float(text) if text else default
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:  # noqa: PLR2004 - also refuses NaN and infinity
        raise Misconfigured(f"{name} is {text!r}; expected a number of seconds above 0")
    return timedelta(seconds=seconds)
