"""Stand-ins for what tests pass in: pages to send, a table, a log to report to, a courier with a script."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from routing.notifiers.notifier import Answer, Call, Notifier, Print, Rendered, Secrets
from schemas.cause import Reported
from schemas.outcome import Delivered, Outcome
from schemas.page import Channel, Content, Message, Page, ScorePart, Update
from schemas.signal import Blast, Contributor, Sample, Signal

NOW = datetime(2026, 2, 22, 11, 44, 30, tzinfo=UTC)
TRACE = "https://traces.example/t/4bf92f"
SIGNAL = Signal(
    id="sig-1",
    detector="error_rate",
    finding="sessions",
    state="firing",
    labels={"agent": "retail", "detector": "error_rate", "finding": "sessions"},
    time=NOW,
    onset=NOW - timedelta(minutes=5),
    summary="All 35 sessions of retail end in an error: customers get no answer",
    observed=1.0,
    baseline=0.021,
    unit="share",
    magnitude=72.4,
    magnitude_unit="burn_rate",
    trend="rising",
    burn_rates={"1h": 14.9, "5m": 72.4},
    blast=Blast(sessions=35, users=31, tenants=3, share=1.0, capped=True),
    contributors=(
        Contributor(dimension="request.model", value="gpt-4o", share=1.0, lift=3.2),
        Contributor(dimension="error.type", value="RateLimitError", share=0.94, lift=41.0),
    ),
    samples=(
        Sample(
            event="retail/e-1",
            time=NOW - timedelta(seconds=20),
            text="Error code: 429 for <email>",
            trace=TRACE,
        ),
        Sample(event="retail/e-2", time=NOW - timedelta(seconds=10), trace="0af7651916cd43dd"),
    ),
    changes=("2026-02-22 11:40 UTC deploy retail 2.1 (was 2.0)",),
    history=(0.0, 0.02, 0.0, 0.1, 0.4, 1.0),
)
CONTENT = Content(
    title="retail: 35 of 35 sessions fail",
    severity="critical",
    score=100,
    score_parts=(
        ScorePart(why="burn rate 14.4 over 1h and 5m", points=90),
        ScorePart(why='env="prod"', points=15),
    ),
    status="triggered",
    since=SIGNAL.onset,
    labels={
        "agent": "retail",
        "detector": "error_rate",
        "finding": "sessions",
        "env": "prod",
        "team": "shop",
    },
    signals=(SIGNAL,),
    firing=1,
    resolved=0,
    team="shop",
    runbook="https://runbooks.example/retail?a=1&b=2",
    dashboard="https://dash.example/retail",
    next_step="Roll 2.1 back, or move traffic to another provider",
    related=("inc-7: provider down, 2 min ago",),
)
BODY = """\
What: All 35 sessions of retail end in an error: customers get no answer
Where: env prod
Since: 5 min (2026-02-22 11:39:30 UTC)
Observed: 100 % against 2.1 % (burning 72.4 times too fast) · budget burnt at 14.9 over 1h, 72.4 over 5m
Trend: rising ▁▁▁▁▄█
Affected: at least 35 sessions, 31 users, 3 tenants; 100 % of all
Stands out:
- request.model=gpt-4o: 100 % of the affected, 3.2 times as often as in the others
- error.type=RateLimitError: 94 % of the affected, 41 times as often as in the others
Changed: 2026-02-22 11:40 UTC deploy retail 2.1 (was 2.0)
Related: inc-7: provider down, 2 min ago
Samples:
- 2026-02-22 11:44:10 UTC “Error code: 429 for <email>” · trace https://traces.example/t/4bf92f
- 2026-02-22 11:44:20 UTC “retail/e-2” · trace 0af7651916cd43dd
Why critical: score 100 of 100: burn rate 14.4 over 1h and 5m +90, env="prod" +15
Next: Roll 2.1 back, or move traffic to another provider
Runbook: https://runbooks.example/retail?a=1&b=2
Dashboard: https://dash.example/retail
Team: shop"""


def content(**changes) -> Content:
    """The content of the rich page, with changes."""
    return msgspec.structs.replace(CONTENT, **changes)


def page(
    kind: str = "webhook", target: str = "#triage", *, options: Mapping[str, str] | None = None, **changes
) -> Page:
    """A page that holds all that a page can hold, with changes."""
    fields = {
        "id": "pag-1",
        "time": NOW,
        "incident": "inc-1",
        "severity": "critical",
        "to": "ana",
        "channel": Channel(kind=kind, target=target, options=dict(options or {})),
        "reason": "opened",
        "summary": "retail fails",
        "content": CONTENT,
    }
    return Page(**(fields | changes))


STATUS = {"updated": "triggered", "commented": "triggered"}
"""What an incident's status is where an update does not say it."""


def update(of: Page, reason: str = "resolved", *, reference: str = "", **changes) -> Update:
    """An update of a page that was delivered."""
    status = STATUS.get(reason, reason)
    fields = {
        name: getattr(of, name) for name in ("time", "incident", "severity", "to", "channel", "summary")
    }
    fields |= {
        "id": "upd-1",
        "page": of.id,
        "reason": reason,
        "reference": reference,
        "content": content(status=status, acknowledged_by="bo"),
    }
    return Update(**(fields | changes))


def driven(notifier: Notifier, message: Message, rendered: Rendered, secrets: Secrets, *answers: Answer):
    """Runs one attempt against answers in order: the steps it took, and its outcome."""
    delivery = notifier.deliver(message, rendered, secrets, NOW)
    steps: list[Call | Print] = []
    waiting = iter(answers)
    try:
        step = next(delivery)
        while True:
            steps.append(step)
            step = delivery.send(next(waiting))
    except StopIteration as end:
        return steps, end.value


def body_of(call: Call) -> dict:
    """The JSON that a call carries."""
    return msgspec.json.decode(call.body)


class Script:
    """A courier whose attempts end as written, the last one again and again. Gates hold pages by id."""

    kinds = frozenset({"webhook", "slack", "pagerduty", "terminal"})

    def __init__(self, *outcomes: Outcome | Exception) -> None:
        self.outcomes = list(outcomes or [Delivered(reference="r")])
        self.attempted: list[tuple[str, int]] = []
        self.running = 0
        self.most = 0
        self.gates: dict[str, object] = {}
        self.is_closed = False

    async def close(self) -> None:
        self.is_closed = True

    async def attempt(self, message: Message, now: datetime) -> Outcome:
        del now
        self.attempted.append((message.id, message.attempt))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            gate = self.gates.get(message.id)
            if gate is not None:
                await gate.wait()
            outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        finally:
            self.running -= 1


class Wire:
    """A log to report to and to bury in, which fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.reported: list[Reported] = []
        self.buried: list[tuple[bytes, str]] = []

    async def report(self, cause: Reported) -> None:
        self._maybe_fail()
        self.reported.append(cause)

    async def bury(self, value: bytes, reason: str) -> None:
        self._maybe_fail()
        self.buried.append((value, reason))

    def _maybe_fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the broker is away")


class InHand:
    """An arrival, and what became of it."""

    def __init__(self, value: bytes) -> None:
        self.value = value
        self.ours = True
        self.fate = ""

    def is_ours(self) -> bool:
        return self.ours

    async def may_begin(self) -> bool:
        return self.ours

    def done(self) -> None:
        self.fate += "done"
