"""Records of a partition that nobody can be told of by their agent: what cannot be read, what lies ahead."""

from typing import Literal, get_args

import msgspec
from msgspec import Struct

from schemas.identity import derived
from schemas.record import Record
from schemas.signal import Contributor, Signal
from schemas.wire import moment

WINDOW_S = 900.0
FEWEST = 10
SHARE = 0.01
TOLD_EVERY_S = 60.0
MOST_PRODUCERS = 8
OTHER = "(other)"
LONGEST = 64

_WORDS = {
    "malformed": "records cannot be read and lie among the dead letters",
    "times_ahead": "events claim a time more than five minutes ahead of their writing",
}
Kind = Literal["malformed", "times_ahead"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class _Rough(Struct):
    """What may be legible of a record that is none."""

    source: str = ""


class Misfits(Struct, array_like=True):
    """Those of a quarter of an hour: how many, from which offset on, by producer. POSIX seconds."""

    count: int = 0
    began: float = 0.0
    first: int = 0
    at: float = 0.0
    since: float = 0.0
    told: float = 0.0
    reason: str = ""
    producers: dict[str, int] = {}

    def note(self, record: Record, reason: str, now: float) -> None:
        """One more. `now`: the watermark."""
        if now - self.began > WINDOW_S:
            if now - self.at > WINDOW_S:
                self.since = now
            self.began, self.first, self.count, self.producers = now, record.offset, 0, {}
        self.count += 1
        self.at, self.reason = now, reason[:LONGEST].encode("utf-8", "backslashreplace").decode()
        name = producer(record)
        if name not in self.producers and len(self.producers) >= MOST_PRODUCERS:
            name = OTHER
        self.producers[name] = self.producers.get(name, 0) + 1

    def signal(self, kind: Kind, where: str, offset: int, at: float) -> Signal | None:
        """Due once a minute while many such come; it goes stale by itself when they stop.

        `where`: the partition; `offset`: of its last record.
        """
        share = min(1.0, self.count / max(1, offset - self.first + 1))
        is_new = self.told < self.at and at - self.at <= WINDOW_S
        if self.count < FEWEST or share < SHARE or not is_new or at - self.told < TOLD_EVERY_S:
            return None
        self.told = at
        ranked = sorted(self.producers.items(), key=lambda each: (-each[1], each[0]))
        worst = ranked[0][0]
        why = f" ({self.reason})" if self.reason else ""
        return Signal(
            id=derived("sig", kind, where, moment(self.since).isoformat()),
            detector="telemetry",
            finding=kind,
            state="firing",
            labels={"agent": f"({kind})", "detector": "telemetry", "finding": kind, "partition": where},
            time=moment(at),
            onset=moment(self.since),
            summary=f"{self.count} {_WORDS[kind]}, {share:.1%} of {where}, mostly of {worst}{why}",
            observed=round(share, 4),
            baseline=0.0,
            unit="share",
            contributors=tuple(
                Contributor(dimension="producer", value=name, share=round(each / self.count, 4), lift=1.0)
                for name, each in ranked[:3]
            ),
        )


def producer(record: Record) -> str:
    """Who wrote a record, as far as it can be told: its source, or else its key."""
    known = dict(record.headers).get("ce_source")
    if known:
        return known.decode("utf-8", "replace")[:LONGEST]
    try:
        source = msgspec.json.decode(record.value, type=_Rough).source
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        source = ""
    return (source or (record.key or b"").decode("utf-8", "replace") or "(unknown)")[:LONGEST]
