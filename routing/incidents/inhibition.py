"""Inhibition as in Alertmanager 0.25 (inhibit/inhibit.go): targets are muted while a source fires.

Version 0.33 keeps one source for each set of equal labels and lets alerts through when that one ends; here
every source counts.
"""

from collections.abc import Iterable, Mapping

from routing.matchers import matches_all
from routing.policy import InhibitRule
from schemas.signal import DRILL

Values = tuple[str, ...]


class Holders:
    """Ids of signals, each as often as it was added. `first`: the least of them, or empty."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first = ""

    def __bool__(self) -> bool:
        return bool(self._counts)

    @property
    def first(self) -> str:
        """The least id: which one is named does not depend on the order in which they came."""
        if not self._first and self._counts:
            self._first = min(self._counts)
        return self._first

    def add(self, signal_id: str) -> None:
        """One more."""
        self._counts[signal_id] = self._counts.get(signal_id, 0) + 1
        if self._first and signal_id < self._first:
            self._first = signal_id

    def drop(self, signal_id: str) -> None:
        """One less of what was added."""
        self._counts[signal_id] -= 1
        if not self._counts[signal_id]:
            del self._counts[signal_id]
            if signal_id == self._first:
                self._first = ""


class RuleSources:
    """The sources of one rule, by their values of its `equal` labels.

    `two_sided` match the target's side as well: they do not mute a target that matches the source's.
    """

    def __init__(self, rule: InhibitRule) -> None:
        self._rule = rule
        self._one_sided: dict[Values, Holders] = {}
        self._two_sided: dict[Values, Holders] = {}

    def add(self, labels: Mapping[str, str], signal_id: str) -> None:
        """A signal fires."""
        if matches_all(self._rule.source, labels):
            self._side(labels).setdefault(self._values(labels), Holders()).add(signal_id)

    def drop(self, labels: Mapping[str, str], signal_id: str) -> None:
        """A signal that was added with these labels no longer fires."""
        if not matches_all(self._rule.source, labels):
            return
        side, values = self._side(labels), self._values(labels)
        side[values].drop(signal_id)
        if not side[values]:
            del side[values]

    def muting(self, labels: Mapping[str, str]) -> str:
        """Id of a source that mutes a signal with these labels, or empty."""
        if not (self._one_sided or self._two_sided) or not matches_all(self._rule.target, labels):
            return ""
        values = self._values(labels)
        found = self._one_sided.get(values)
        if found is None and not matches_all(self._rule.source, labels):
            found = self._two_sided.get(values)
        return found.first if found else ""

    def _side(self, labels: Mapping[str, str]) -> dict[Values, Holders]:
        return self._two_sided if matches_all(self._rule.target, labels) else self._one_sided

    def _values(self, labels: Mapping[str, str]) -> Values:
        """An absent label equals an empty one."""
        return tuple(labels.get(name, "") for name in self._rule.equal)


class Sources:
    """The sources of all rules: an index over the signals that fire, found again rather than saved.

    Fire drills neither mute nor are muted.
    """

    def __init__(self, rules: Iterable[InhibitRule]) -> None:
        self._rules = tuple(RuleSources(rule) for rule in rules)

    def add(self, labels: Mapping[str, str], signal_id: str) -> None:
        """A signal fires. One that was added twice is to be dropped twice."""
        for rule in () if DRILL in labels else self._rules:
            rule.add(labels, signal_id)

    def drop(self, labels: Mapping[str, str], signal_id: str) -> None:
        """A signal that was added with these labels no longer fires."""
        for rule in () if DRILL in labels else self._rules:
            rule.drop(labels, signal_id)

    def muting(self, labels: Mapping[str, str]) -> str:
        """Id of a signal that mutes one with these labels, or empty: by the first rule that does."""
        rules = () if DRILL in labels else self._rules
        return next((found for rule in rules if (found := rule.muting(labels))), "")
