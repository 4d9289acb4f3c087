"""An incident to try words on: it has everything that a page can hold. And what follows a page."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from msgspec.structs import replace

from routing.notifiers.notifier import Rendered, Room
from routing.words.fitting import weight
from schemas.page import Channel, Content, Page, ScorePart, Status, Update, UpdateReason
from schemas.signal import Blast, Contributor, Sample, Signal

NOW = datetime(2026, 3, 2, 9, 14, 5, tzinfo=UTC)
LABELS = {
    "agent": "refund-agent",
    "detector": "error_rate",
    "finding": "sessions",
    "env": "prod",
    "team": "payments",
}
SIGNAL = Signal(
    id="sig-sample",
    detector="error_rate",
    finding="sessions",
    state="firing",
    labels=LABELS,
    time=NOW,
    onset=NOW - timedelta(minutes=6),
    summary="42 of 130 sessions of refund-agent failed since 09:08: customers get no refund",
    observed=0.32,
    baseline=0.013,
    unit="share",
    magnitude=24.6,
    magnitude_unit="ratio",
    trend="rising",
    burn_rates={"1h": 18.2, "5m": 32.0},
    blast=Blast(sessions=42, users=40, tenants=5, share=0.32),
    contributors=(
        Contributor(dimension="tool", value="payments.refund", share=0.95, lift=6.1),
        Contributor(dimension="agent.version", value="2.4.0", share=1.0, lift=2.0),
    ),
    samples=(
        Sample(
            event="refund-agent/e-871",
            time=NOW - timedelta(seconds=12),
            text="payments.refund: 503 Service Unavailable for <card>",
            trace="https://traces.example/t/4bf92f3577b34da6",
        ),
    ),
    changes=("09:05 UTC release refund-agent 2.4.0 (was 2.3.7)",),
    history=(0.01, 0.02, 0.01, 0.01, 0.0, 0.02, 0.01, 0.04, 0.11, 0.19, 0.27, 0.32),
)
CONTENT = Content(
    title=SIGNAL.summary,
    severity="critical",
    score=94,
    score_parts=(
        ScorePart(why="error budget burns 14.4 times too fast over 1h and 5m", points=90),
        ScorePart(why="consequence high", points=10),
        ScorePart(why="confidence 0.9", points=-6),
    ),
    status="triggered",
    since=SIGNAL.onset,
    labels=LABELS,
    signals=(SIGNAL,),
    firing=1,
    resolved=0,
    team="payments",
    runbook="https://runbooks.example/refunds",
    dashboard="https://dashboards.example/refund-agent",
    next_step="Failures began with a release: roll it back.",
    related=("inc-7f: dependency payments-api is slow",),
)
PAGE = Page(
    id="pag-sample",
    time=NOW,
    incident="inc-sample",
    severity="critical",
    to="ana",
    channel=Channel(kind="terminal", target="ana"),
    reason="opened",
    summary=CONTENT.title,
    content=CONTENT,
)


STATUS: Mapping[UpdateReason, Status] = MappingProxyType(
    {
        "updated": "triggered",
        "commented": "triggered",
        "acknowledged": "acknowledged",
        "resolved": "resolved",
    }
)


def follow_up(page: Page, reason: UpdateReason, reference: str) -> Update:
    """The update of a page that was delivered with this reference."""
    return Update(
        id=f"upd-{reason}",
        time=page.time,
        incident=page.incident,
        severity=page.severity,
        to=page.to,
        channel=page.channel,
        reason=reason,
        summary=page.summary,
        content=replace(page.content, status=STATUS[reason], acknowledged_by=page.to),
        page=page.id,
        reference=reference,
    )


def too_long(rendered: Rendered, room: Room) -> list[str]:
    """What a channel would cut, in words for who writes a template."""
    texts = [fact.text for fact in rendered.facts] or [rendered.body]
    longest, total = max(map(len, texts)), sum(map(weight, texts))
    told = (
        (room.title, len(rendered.title), "the title has {} characters, {} are shown"),
        (room.text, longest, "a text has {} characters, {} are shown"),
        (room.total, total, "all texts have {} bytes, {} are shown: the longest are cut"),
    )
    return [
        words.format(f"{found:,}", f"{limit:,}") for limit, found, words in told if limit and found > limit
    ]
