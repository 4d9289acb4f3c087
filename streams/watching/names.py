"""Every metric: its name, by Prometheus's conventions, its kind, its labels and what it says.

Labels are few: topics, partitions of this worker, detectors, kinds of channels; never agents or incidents.
"""

from typing import Literal

from msgspec import Struct


class Metric(Struct, frozen=True):
    """One metric. `help`: with the unit."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    labels: tuple[str, ...] = ()


PLACE = ("topic", "partition")

RECORDS = Metric(
    "oversight_records_total",
    "counter",
    "Records taken: of agent.events the events, of oversight.causes what moves the router.",
    ("topic",),
)
OUTPUTS = Metric(
    "oversight_outputs_total",
    "counter",
    "Records written; a batch that is tried again counts again where its first try failed half-way.",
    ("topic",),
)
SIGNALS = Metric(
    "oversight_signals_total",
    "counter",
    "Signals told to the router; one that holds is told again each minute.",
    ("detector", "state"),
)
DEADLETTERS = Metric(
    "oversight_deadletters_total",
    "counter",
    "Records put on the dead-letter topic, by why: unread, judged, cut or complaint.",
    ("kind",),
)
REFUSED = Metric(
    "oversight_outputs_refused_total",
    "counter",
    "Outputs that the broker refused for ever, as too large; they are dead letters, cut short.",
    ("topic",),
)
ATTEMPTS = Metric(
    "oversight_attempts_total",
    "counter",
    "Attempts to deliver a message: pages, edits and notices, by channel and what became of them.",
    ("channel", "outcome"),
)
ATTEMPT_SECONDS = Metric(
    "oversight_attempt_seconds_total",
    "counter",
    "Seconds that attempts took; divided by their number, what one takes.",
    ("channel",),
)
SNAPSHOT_FAILURES = Metric(
    "oversight_snapshot_failures_total",
    "counter",
    "State that could not be written and is tried again; paging goes on.",
    ("topic",),
)
HEARTBEATS = Metric(
    "oversight_heartbeats_total",
    "counter",
    "Calls of the dead-man's switch: taken, failed, withheld, or left to the worker where probes come out.",
    ("outcome",),
)
COUNTERS = (
    RECORDS,
    OUTPUTS,
    SIGNALS,
    DEADLETTERS,
    REFUSED,
    ATTEMPTS,
    ATTEMPT_SECONDS,
    SNAPSHOT_FAILURES,
    HEARTBEATS,
)

BUILD = Metric("oversight_build_info", "gauge", "Always 1; the version.", ("version",))
LIVE = Metric("oversight_live", "gauge", "1 while every host goes round; what /healthz says.")
READY = Metric(
    "oversight_ready", "gauge", "1 while all partitions of this worker are restored and written; /readyz."
)
OWNED = Metric("oversight_partitions_owned", "gauge", "Partitions that this worker has restored.", ("topic",))
RESTORING = Metric(
    "oversight_partitions_restoring",
    "gauge",
    "Partitions given to this worker, not restored yet.",
    ("topic",),
)
BLOCKED = Metric(
    "oversight_partitions_blocked",
    "gauge",
    "Partitions that are not read on, because what they gave cannot be written.",
    ("topic",),
)
TURN_AGE = Metric(
    "oversight_turn_age_seconds", "gauge", "Seconds since the host of a topic last went round.", ("topic",)
)
CONFIRMED_AGE = Metric(
    "oversight_confirmed_age_seconds",
    "gauge",
    "Seconds since a broker last took word of how far the host of a topic is.",
    ("topic",),
)
LAG = Metric(
    "oversight_lag_records",
    "gauge",
    "Records that this worker has still to take, of each of its partitions.",
    PLACE,
)
NEWEST = Metric(
    "oversight_newest_record_timestamp_seconds",
    "gauge",
    "When the newest record taken was written (Unix time, by the broker or its producer): how stale we are.",
    PLACE,
)
UNSAVED = Metric(
    "oversight_state_unsaved_seconds",
    "gauge",
    "Age of the oldest state that only the log has: what a new owner would fold again.",
    PLACE,
)
OPEN = Metric("oversight_open_incidents", "gauge", "Open incidents; told by the worker that routes.")
PASSED_OVER = Metric(
    "oversight_routing_counts",
    "gauge",
    "What the router ignored, dropped or capped since its state began, by what it was.",
    ("what",),
)
UNUSABLE = Metric(
    "oversight_bridge_unusable_spans",
    "gauge",
    "Spans that could not be used, of the partitions had now.",
    PLACE,
)
EARLY = Metric(
    "oversight_bridge_early_traces",
    "gauge",
    "Traces let go early for their number, of the partitions had now.",
    PLACE,
)
GAUGES = (
    BUILD,
    LIVE,
    READY,
    OWNED,
    RESTORING,
    BLOCKED,
    TURN_AGE,
    CONFIRMED_AGE,
    LAG,
    NEWEST,
    UNSAVED,
    OPEN,
    PASSED_OVER,
    UNUSABLE,
    EARLY,
)
METRICS = (*COUNTERS, *GAUGES)
