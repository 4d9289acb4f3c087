"""The sessions of a rollout while they run: what each has cost, how it went; scored when they are ripe.

A session is scored a fixed time after it began, ended or not, in the order in which sessions began: judged
when it ends, a slow canary would show its short sessions first. One that has not ended by then is bad.
"""

from collections.abc import Iterator, Mapping
from math import floor, nan

from msgspec import Struct, field
from xxhash import xxh3_64_intdigest

from detectors.rollouts.scores import Kind
from schemas.event import Evaluation, Event
from schemas.failures import error_class

METRICS: Mapping[str, Kind] = {
    "sessions": "binary",
    "tools": "binary",
    "cost": "positive",
    "duration": "positive",
    "tokens": "positive",
    "evaluation": "binary",
}
MOST_OPEN = 480
MOST_CLOSED = 1024
MOST_STRATA = 32
MOST_SCHEMAS = 16
MOST_EVALUATIONS = 8
MOST_SCORED = 255
MOST_TOKENS = 2**32 - 1
TICKS = 64
"""Times are kept to so many parts of a second."""
REMEMBERED = 1000.0
USUAL = 0.5
"""A field is missed where it is missing, if this part of the sessions have it."""


class Session(Struct, array_like=True):
    """One that is open. Times in POSIX seconds; cost in USD; `poor`, `scored`: evaluations.

    `stratum`, `schema`: places in the tables of `Sessions`. `slipped`: a tool failed; `faulty`: another call.
    """

    began: float
    canary: bool
    share: float | None
    stratum: int = 0
    schema: int = 0
    ended: float = 0.0
    failed: bool = False
    slipped: bool = False
    cost: float = 0.0
    tokens: int = 0
    poor: int = 0
    scored: int = 0
    faulty: bool = False

    def values(self, ripe_s: float, *, ends: bool) -> dict[str, float]:
        """By metric; what is not known is NaN. `ends`: whether the agent tells of sessions that end."""
        return {
            "sessions": float(self.is_bad(ends=ends)),
            "tools": float(self.slipped),
            "cost": self.cost or nan,
            "duration": self.ended - self.began if self.ended else ripe_s,
            "tokens": float(self.tokens or nan),
            "evaluation": self.poor / self.scored if self.scored else nan,
        }

    def is_bad(self, *, ends: bool) -> bool:
        """Whether it failed, or has not ended; where no end is ever told, whether a call of its failed."""
        return self.failed or (not self.ended if ends else self.faulty)


class Usual(Struct, array_like=True):
    """What sessions that ended well have: of `count`, how many had a cost, and tokens."""

    count: float = 0.0
    cost: float = 0.0
    tokens: float = 0.0

    def lacking(self, session: Session, *, ends: bool) -> list[str]:
        """What a session lacks that the earlier ones had; learns from it. A bad one lacks nothing."""
        if session.is_bad(ends=ends):
            return []
        has = {"cost": session.cost > 0, "tokens": session.tokens > 0}
        lacks = [name for name, had in has.items() if not had and getattr(self, name) > USUAL * self.count]
        self.count += 1
        self.cost += has["cost"]
        self.tokens += has["tokens"]
        return lacks


class Sessions(Struct, array_like=True):
    """Open sessions by a digest of their conversation, in the order in which they began.

    `starts`: whether the agent tells of sessions that start; then nothing else begins one. `ends`: whether it
    tells of those that end. `closed`: the last
    that were scored, for agents that do not. `turned_away`: sessions that found no room. `strata`, `schemas`:
    those so far.
    """

    open: dict[int, Session] = {}
    closed: dict[int, int] = {}
    strata: list[str] = []
    schemas: list[str] = []
    starts: bool = False
    turned_away: int = 0
    usual: Usual = field(default_factory=Usual)
    means: dict[str, list[float]] = {}
    ends: bool = False

    def admit(self, key: int, session: Session, stratum: str, event: Event) -> Session | None:
        """A session that begins with an event, if it does and there is room.

        Whether there is depends on time and stratum alone, never on the arm. One of a stratum beyond the cap
        has begun, and is closed at once.
        """
        data = event.data
        state = data.conversation.state if data.conversation is not None else None
        self.starts = self.starts or state == "started"
        self.ends = self.ends or state == "ended"
        if state == "ended" or data.evaluation is not None or (self.starts and state != "started"):
            return None
        if key in self.closed:
            return None
        if len(self.open) >= MOST_OPEN:
            self.turned_away += 1
            return None
        session.stratum = _place(self.strata, stratum, MOST_STRATA)
        if session.stratum == MOST_STRATA:
            self.turned_away += 1
            self._close(key)
            return session
        session.schema = _place(self.schemas, event.dataschema or "", MOST_SCHEMAS)
        session.began = _ticked(session.began)
        self.open[key] = session
        return session

    def schema(self, session: Session) -> str:
        """The version of a session's record; those beyond the cap share one."""
        return self.schemas[session.schema] if session.schema < MOST_SCHEMAS else "(other)"

    def take(self, session: Session, event: Event, now: float) -> None:
        """An event of an open session."""
        data = event.data
        if data.usage is not None:
            usage = data.usage
            tokens = session.tokens + (usage.input_tokens or 0) + (usage.output_tokens or 0)
            session.tokens = min(MOST_TOKENS, tokens)
            if usage.cost_amount and usage.cost_currency in {None, "USD"}:
                session.cost += usage.cost_amount
        if data.evaluation is not None:
            self._evaluated(session, data.evaluation)
        if event.type == "agent.session.v1":
            if data.conversation is not None and data.conversation.state == "ended":
                self.ends = True
                session.ended = _ticked(max(now, session.began))
                session.failed = data.error is not None and error_class(data.error) != "escalation"
        elif data.error is not None and data.operation.name == "execute_tool":
            session.slipped = True
        elif data.error is not None and error_class(data.error) != "escalation":
            session.faulty = True

    def _evaluated(self, session: Session, evaluation: Evaluation) -> None:
        """Poor is what lies below the mean of the scores of that name so far, of both arms."""
        score = evaluation.score_value
        if score is None or not abs(score) < 1e12:  # noqa: PLR2004 - no score, NaN or infinite
            return
        if evaluation.name not in self.means and len(self.means) >= MOST_EVALUATIONS:
            return
        mean = self.means.setdefault(evaluation.name[:64], [0.0, score])
        if session.scored < MOST_SCORED:
            session.poor += score < mean[1]
            session.scored += 1
        mean[0] = min(mean[0] + 1, REMEMBERED)
        mean[1] += (score - mean[1]) / mean[0]

    def ripe(self, until: float) -> Iterator[Session]:
        """Those that began by then, in order; they are closed."""
        while self.open:
            key, session = next(iter(self.open.items()))
            if session.began > until:
                return
            del self.open[key]
            self._close(key)
            yield session

    def leave_out(self, key: int) -> None:
        """One that began is not compared, and its further events do not begin it again."""
        self.open.pop(key, None)
        self._close(key)

    def _close(self, key: int) -> None:
        if len(self.closed) >= MOST_CLOSED:
            del self.closed[next(iter(self.closed))]
        self.closed[key] = 1


def key_of(conversation: str) -> int:
    """A digest of a conversation's id: 32 bits."""
    return xxh3_64_intdigest(conversation.encode("utf-8", "surrogatepass")) >> 32


def _place(known: list[str], name: str, most: int) -> int:
    """Where a name is in a table of `most`, which it joins while there is room; `most` for none."""
    if name in known:
        return known.index(name)
    if len(known) < most:
        known.append(name)
        return len(known) - 1
    return most


def _ticked(at: float) -> float:
    return floor(at * TICKS) / TICKS
