"""Counters, and the text in which they are told."""

import re

from streams.watching.figures import MOST_SERIES, Figures, Sample, exposition
from streams.watching.names import ATTEMPTS, METRICS, READY, RECORDS, SIGNALS

VALUE = r'[a-z_]+="([^"\\]|\\[\\"n])*"'
LINE = re.compile(
    rf"# HELP [a-z_]+ .+|# TYPE [a-z_]+ (counter|gauge)|[a-z_]+(\{{{VALUE}(,{VALUE})*\}})? [0-9.e+-]+"
)


def test_what_is_counted_adds_up_by_its_labels():
    figures = Figures()
    figures.count(SIGNALS, "cost", "firing")
    figures.count(SIGNALS, "cost", "firing", by=2)
    figures.count(SIGNALS, "cost", "resolved")
    assert list(figures.samples()) == [
        Sample(SIGNALS, 3, ("cost", "firing")),
        Sample(SIGNALS, 1, ("cost", "resolved")),
    ]


def test_there_are_never_more_series_than_the_cap_and_one():
    figures = Figures()
    for n in range(MOST_SERIES + 50):
        figures.count(ATTEMPTS, f"channel-{n}", "delivered")
    told = list(figures.samples())
    assert len(told) == MOST_SERIES + 1
    assert Sample(ATTEMPTS, 50, ("other", "other")) in told


def test_the_text_is_prometheuss_whatever_the_labels_say():
    text = exposition(
        [
            Sample(RECORDS, 12_345_678, ('a "topic"\\\nof two lines',)),
            Sample(READY, 1),
            Sample(RECORDS, 0.25, ("b",)),
        ]
    )
    assert text.endswith("\n")
    assert all(LINE.fullmatch(line) for line in text.splitlines()), text
    assert text.splitlines()[1:4] == [
        "# TYPE oversight_records_total counter",
        r'oversight_records_total{topic="a \"topic\"\\\nof two lines"} 12345678',
        'oversight_records_total{topic="b"} 0.25',
    ]


def test_names_follow_prometheus():
    assert len({each.name for each in METRICS}) == len(METRICS)
    for each in METRICS:
        assert re.fullmatch(r"oversight_[a-z_]+", each.name)
        assert each.name.endswith("_total") == (each.kind == "counter"), each.name
        assert each.help
        assert set(each.labels).isdisjoint({"agent", "tenant", "incident", "session"})
