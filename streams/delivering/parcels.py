"""Records of the pages' topic in hand, acknowledged in the order in which they came.

Faust's own bookkeeping does not bear acknowledgements out of order: it commits past a record that is still
being worked on where that one is the next to be committed, or where nothing was committed yet, and a crash
then loses it. So a record that is done waits here for those before it.
"""

from collections import deque
from typing import Any, Literal


class Parcel:
    """One Faust event as the desk sees it."""

    def __init__(self, app: Any, event: Any, row: "Row") -> None:
        self._app = app
        # Held until it is seen through: Faust itself remembers the current event only weakly, and finds the
        # changelog's partition by it.
        self._event = event
        self._row = row
        self.fate: Literal["", "done", "left"] = ""

    @property
    def value(self) -> bytes:
        """The undecoded message; a tombstone is empty."""
        return self._event.value or b""

    @property
    def partition(self) -> int:
        """Of the pages' topic."""
        return int(self._event.message.partition)

    def is_ours(self) -> bool:
        """False from the moment partitions are revoked or the worker stops."""
        return bool(self._app.flow_control.is_active()) and self._row.generation == generation(self._app)

    def done(self) -> None:
        """Its offset may be committed, once those before it may."""
        self.fate = "done"
        self._row.settle()

    def leave(self) -> None:
        """Its offset, and those after it, are not committed any more: the next owner gets them again."""
        self.fate = "left"
        self._row.settle()

    def acknowledge(self) -> None:
        """Marks the offset as safe to commit."""
        self._event.ack()

    def forget(self) -> None:
        """Faust no longer waits for it."""
        self._app.consumer.unacked.discard(self._event.message)


class Row:
    """The parcels of one partition, in order, as long as it stays with this worker."""

    def __init__(self, number: int) -> None:
        self.generation = number
        self._parcels: deque[Parcel] = deque()
        self._is_broken = False

    def add(self, parcel: Parcel) -> None:
        """The next one."""
        self._parcels.append(parcel)

    def settle(self) -> None:
        """Acknowledges the first ones that are done; after one that was left, none."""
        while self._parcels and self._parcels[0].fate:
            parcel = self._parcels.popleft()
            self._is_broken = self._is_broken or parcel.fate == "left"
            if self._is_broken:
                parcel.forget()
            else:
                parcel.acknowledge()


class Rows:
    """A row for each partition of the topic that this worker has."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._rows: dict[int, Row] = {}

    def parcel(self, event: Any) -> Parcel:
        """The event as a parcel, behind those of its partition that came before."""
        partition = int(event.message.partition)
        row = self._rows.get(partition)
        if row is None or row.generation != event.message.generation_id:
            row = self._rows[partition] = Row(event.message.generation_id)
        parcel = Parcel(self._app, event, row)
        row.add(parcel)
        return parcel


def generation(app: Any) -> int:
    """Of the consumer's group: it changes with every rebalance."""
    return int(app.consumer_generation_id)
