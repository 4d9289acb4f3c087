"""A probe on its last way: what went through detect and route, to whoever notifies."""

from msgspec import Struct

from schemas.signal import Time


class Passed(Struct, frozen=True, kw_only=True, tag="probe", tag_field="kind"):
    """A probe of `partition` of the `partitions` of `agent.events`, which began at `sent`."""

    partition: int
    partitions: int
    sent: Time
