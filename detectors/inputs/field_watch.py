"""One field that agents compute of their inputs, beside its reference."""

from array import array
from math import isfinite, isnan, nan

from msgspec import Struct

from detectors.inputs import cell_evidence
from detectors.inputs.category_cells import Places, name_of
from detectors.inputs.cell_evidence import CellEvidence
from detectors.inputs.field_reference import Fixed, cells_of, number_of, quantity_of
from detectors.inputs.holding import Hold, opened
from detectors.inputs.number_cells import cell_of
from detectors.inputs.recent_inputs import RecentInputs
from detectors.inputs.shift_story import Story, story
from schemas.event import Scalar

_MOST_NEW = 4
"""Values never seen before that are named: the last different ones."""


class Saved(Struct, array_like=True):
    """A field's moving part."""

    evidence: cell_evidence.Saved
    armed: float
    hold: Hold | None
    new: list[str]


class FieldWatch:
    """One field. Its values are the agent's own words: bounded here, redacted by whoever tells them.

    `hold`: the shift that holds. `new`: values never seen before, the last ones.
    """

    __slots__ = (
        "_armed", "_column", "_enough", "_evidence", "_places", "_quantity", "_table", "fixed", "hold", "new",
    )  # fmt: skip

    def __init__(self, fixed: Fixed, column: int, enough: float, saved: Saved | None = None) -> None:
        """`column`: of its values in a table; `enough`: of them between false alarms. `saved`: by `save`."""
        self.fixed = fixed
        self._column, self._enough = column, enough
        self._table = array("f", fixed.table)
        self._places = Places(fixed.category) if fixed.category else None
        self._quantity = quantity_of(fixed)
        self._evidence = CellEvidence(cells_of(fixed), saved.evidence if saved else None)
        self._armed = saved.armed if saved else float("-inf")
        self.hold = saved.hold if saved else None
        self.new = list(saved.new) if saved else []

    def read(self, value: Scalar | None) -> tuple[int, float]:
        """The cell and the raw value; not a number for what is not of the field's kind."""
        if self._places is None:
            number = None if value is None else number_of(value)
            return (0, nan) if number is None else (cell_of(number, self._table), number)
        if value is None or (isinstance(value, float) and not isfinite(value)):
            return 0, nan
        name = name_of(value)
        cell = self._places.of(name)
        if self._places.is_new(cell) and name not in self.new:
            self.new = [*self.new[1 - _MOST_NEW :], name]
        return cell, float(1 << cell)

    def take(self, now: float, cell: int, raw: float, recent: RecentInputs) -> None:
        """One value, which is also in the last row of `recent`."""
        if isnan(raw):
            if self.hold is not None and all(map(isnan, recent.raws(self._column))):
                self.end(now)  # it is sent no more
            return
        if self.hold is not None:
            if self.hold.weigh(self._quantity, raw):
                self.end(now)
                self.new = []
        elif self._evidence.take(cell) >= self._enough:
            self._evidence.forget()
            mine = recent.only(self._column)
            order = range(len(self._quantity.means))
            channels = [(0, at) for at in (order if self._places is None else reversed(order))]
            self.hold = opened((self._quantity,), channels, mine.since(self._armed), now, mine)

    def end(self, now: float) -> None:
        """What holds is over."""
        self._armed, self.hold = now, None

    def story(self, recent: RecentInputs) -> Story | None:
        """What to tell of the shift that holds."""
        return story((self._quantity,), self.hold, recent.only(self._column)) if self.hold else None

    def save(self) -> Saved:
        """The moving part exactly."""
        return Saved(self._evidence.save(), self._armed, self.hold, self.new)
