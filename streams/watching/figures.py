"""Counters of one process, and the text in which they are told (Prometheus's exposition format 0.0.4)."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from streams.watching.names import COUNTERS, Metric

MOST_SERIES = 500
"""Of one metric; what would be more is counted together."""
OTHER = "other"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Sample(Struct, frozen=True):
    """One value of a metric; `labels` in the order of the metric's."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


class Figures:
    """What was counted since the process began."""

    def __init__(self) -> None:
        self._counts: dict[Metric, dict[tuple[str, ...], float]] = {each: {} for each in COUNTERS}

    def count(self, metric: Metric, *labels: str, by: float = 1.0) -> None:
        """Counts so many more; `labels` in the order of the metric's."""
        known = self._counts[metric]
        if labels not in known and len(known) >= MOST_SERIES:
            labels = (OTHER,) * len(labels)
        known[labels] = known.get(labels, 0.0) + by

    def samples(self) -> Iterator[Sample]:
        """All counters, by name and labels."""
        for metric, known in self._counts.items():
            for labels, value in sorted(known.items()):
                yield Sample(metric, value, labels)


def exposition(samples: Iterable[Sample]) -> str:
    """The text; samples of one metric stand together.

    >>> from streams.watching.names import READY
    >>> print(exposition([Sample(READY, 1.0)]).splitlines()[-1])
    oversight_ready 1
    """
    by_metric: dict[Metric, list[Sample]] = {}
    for sample in samples:
        by_metric.setdefault(sample.metric, []).append(sample)
    lines: list[str] = []
    for metric, some in by_metric.items():
        lines += [f"# HELP {metric.name} {_plain(metric.help)}", f"# TYPE {metric.name} {metric.kind}"]
        lines += [f"{metric.name}{_labels(metric, each)} {each.value:.15g}" for each in some]
    return "".join(f"{line}\n" for line in lines)


def _labels(metric: Metric, sample: Sample) -> str:
    pairs = zip(metric.labels, sample.labels, strict=True)
    told = ",".join(f'{name}="{_quoted(value)}"' for name, value in pairs)
    return f"{{{told}}}" if told else ""


def _plain(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(text: str) -> str:
    return _plain(text).replace('"', r"\"")
