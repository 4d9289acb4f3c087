"""Small indexes over incidents, rebuilt when a state is loaded."""

from bisect import bisect_left, insort
from collections.abc import Collection
from datetime import datetime

from routing.incidents.incident import Case


class Index:
    """Ids of incidents by something they share, in order of opening."""

    def __init__(self) -> None:
        self._found: dict[str, list[tuple[datetime, str]]] = {}

    def put(self, name: str, case: Case) -> None:
        """Files an incident under a name, once."""
        entries = self._found.setdefault(name, [])
        entry = (case.opened, case.id)
        at = bisect_left(entries, entry)
        if entries[at : at + 1] != [entry]:
            insort(entries, entry)

    def drop(self, name: str, case: Case) -> None:
        """Takes an incident out from under a name where it was filed."""
        entries = self._found[name]
        del entries[bisect_left(entries, (case.opened, case.id))]
        if not entries:
            del self._found[name]

    def newest(self, name: str, count: int) -> tuple[str, ...]:
        """The last `count` ids under a name, newest first."""
        return tuple(case_id for _, case_id in reversed(self._found.get(name, [])[-count:]))

    def count(self, name: str) -> int:
        """How many ids are under a name."""
        return len(self._found.get(name, ()))

    def all(self, name: str) -> tuple[str, ...]:
        """All ids under a name, oldest first."""
        return tuple(case_id for _, case_id in self._found.get(name, ()))


class Tally:
    """How often each name was added under a key, less how often it was dropped."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, int]] = {}

    def add(self, key: str, name: str) -> None:
        """One more."""
        counts = self._counts.setdefault(key, {})
        counts[name] = counts.get(name, 0) + 1

    def drop(self, key: str, name: str) -> None:
        """One less of what was added."""
        counts = self._counts[key]
        counts[name] -= 1
        if not counts[name]:
            del counts[name]
        if not counts:
            del self._counts[key]

    def names(self, key: str) -> Collection[str]:
        """The names under a key."""
        return self._counts.get(key, {}).keys()
