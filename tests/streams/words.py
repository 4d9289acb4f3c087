"""Words for tests: signals, incidents, pages with as little in them as they need."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from schemas.incident import Incident
from schemas.page import Channel, Content, Page, Update
from schemas.signal import Signal

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def signal(**changes: object) -> Signal:
    made = Signal(
        id="sig-1",
        detector="cost",
        finding="spike",
        state="firing",
        labels={"agent": "refund-agent", "detector": "cost", "finding": "spike"},
        time=NOON,
        onset=NOON - MINUTE,
        summary="costs five times as much",
    )
    return replace(made, **changes)


def incident(**changes: object) -> Incident:
    made = Incident(
        id="inc-1",
        time=NOON,
        status="triggered",
        severity="error",
        score=70,
        labels={"agent": "refund-agent"},
        summary="costs five times as much",
        receiver="on-call",
        route="{}",
        opened=NOON,
        signals=("sig-1",),
    )
    return replace(made, **changes)


def content(*signals: Signal) -> Content:
    return Content(
        title="costs five times as much",
        severity="error",
        score=70,
        score_parts=(),
        status="triggered",
        since=NOON,
        labels={"agent": "refund-agent"},
        signals=signals or (signal(),),
        firing=1,
        resolved=0,
    )


def page(**changes: object) -> Page:
    made = Page(
        id="page-1",
        time=NOON,
        incident="inc-1",
        severity="error",
        to="ana",
        channel=Channel(kind="terminal", target="screen"),
        reason="opened",
        summary="costs five times as much",
        content=content(),
    )
    return replace(made, **changes)


def update(**changes: object) -> Update:
    made = Update(
        id="update-1",
        time=NOON + MINUTE,
        incident="inc-1",
        severity="error",
        to="ana",
        channel=Channel(kind="terminal", target="screen"),
        reason="resolved",
        summary="costs as before",
        content=content(),
        page="page-1",
        reference="ref",
    )
    return replace(made, **changes)
