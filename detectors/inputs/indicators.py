"""Properties that an input has or has not: flags of a text, values of a category."""

from collections.abc import Sequence

from detectors.inputs.quantities import Told


class Indicators:
    """Properties that an input has or has not; the raw value holds one bit for each."""

    __slots__ = ("labels", "means", "name", "size", "variances")

    def __init__(self, name: str, labels: Sequence[str], shares: Sequence[float], size: int) -> None:
        """`shares`: of the reference's `size` inputs that have each property, in [0, 1]."""
        self.name = name
        self.labels = tuple(labels)
        self.means = tuple(shares)
        self.variances: tuple[float, ...] = tuple(share * (1 - share) for share in shares)
        self.size = size

    def values(self, raw: float) -> Sequence[float]:
        """The channels: 0 or 1 each."""
        bits = int(raw)
        return [float(bits >> at & 1) for at in range(len(self.labels))]

    def spread_at(self, channel: int, level: float) -> float:
        """A coin's."""
        return max(self.variances[channel], level * (1 - level))

    def tells(self, channel: int, level: float) -> bool:
        """Either way."""
        return level != self.means[channel]

    def unlike(self, raw: float, channel: int, level: float) -> bool:
        """Those that have what became more frequent, or lack what became rarer."""
        has = int(raw) >> channel & 1
        return has == 1 if level > self.means[channel] else has == 0

    def told(self, channel: int) -> Told:
        """The share of inputs that have the property."""
        return Told(self.labels[channel], "share of inputs", self.means[channel])

    def shown(self, raw: float, channel: int) -> float:
        """1 where it has the property."""
        return float(int(raw) >> channel & 1)

    def affected(self, raws: Sequence[float], channel: int) -> float:
        """What came or went, of what could."""
        usual = self.means[channel]
        observed = sum(self.shown(raw, channel) for raw in raws) / len(raws)
        return (observed - usual) / (1 - usual) if observed > usual else (usual - observed) / max(usual, 1e-9)
