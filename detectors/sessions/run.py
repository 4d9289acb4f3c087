"""One open session: what it has spent, what it repeats, when it last got on. And all of them, bounded."""

from collections.abc import Iterator

from msgspec import Struct

from detectors.saying import counted, span

MOST_OPEN = 192
IDLE_S = 1800.0
"""A session untouched for this long counts as ended."""
TOUCHED_S = 60.0
"""The order of last touch is kept to the minute."""
MOST_REPEATED = 6
REPEATED_WITHIN_S = 3600.0
"""Equal calls are counted within the hour."""
LONGEST_TOOL = 64


class Run(Struct, array_like=True):
    """The state of one session. Times in POSIX seconds.

    `repeated`: calls by digest of tool and arguments, counted as by Misra and Gries (1982): six at a time,
    never too high, and within a seventh of all calls. `beats`: heartbeats since it last got on, at `moved`.
    `step`: the highest step that a heartbeat told. `waits`: for a person's approval.
    """

    began: float
    touched: float
    moved: float
    steps: int = 0
    tokens: int = 0
    cost: float = 0.0
    step: int = 0
    beats: int = 0
    waits: int = 0
    most: int = 0
    repeated: dict[int, int] = {}

    def call(self, digest: int) -> int:
        """One call of a tool with these arguments; how often it was made by now, at least."""
        known = self.repeated.get(digest)
        if known is None and len(self.repeated) >= MOST_REPEATED:
            self.repeated = {each: count - 1 for each, count in self.repeated.items() if count > 1}
            return 0
        count = self.repeated[digest] = (known or 0) + 1
        self.most = max(self.most, count)
        return count

    def on(self, now: float) -> None:
        """It gets on. Calls of another hour are no longer counted: seldom repeated is no loop."""
        if self.repeated and now // REPEATED_WITHIN_S != self.moved // REPEATED_WITHIN_S:
            self.repeated = {}
        self.moved, self.beats = now, 0

    def spent(self, now: float) -> str:
        """What it has spent so far.

        >>> Run(0.0, 0.0, 0.0, steps=412, tokens=1_200_000, cost=31.2).spent(2580.0)
        '412 steps, 1,200,000 tokens, $31.20 in 43 minutes'
        """
        parts = [counted(max(self.steps, self.step), "step")]
        parts += [counted(self.tokens, "token")] if self.tokens else []
        parts += [f"${self.cost:.2f}"] if self.cost else []
        return f"{', '.join(parts)} in {span(now - self.began)}"


class Runs(Struct, array_like=True):
    """Open sessions in order of last touch; at the cap the one untouched for longest is let go."""

    open: dict[str, Run] = {}
    dropped: int = 0
    """Sessions let go at the cap."""

    def get(self, session: str, now: float) -> Run:
        """The session's state, new or known; it is touched."""
        run = self.open.get(session)
        if run is None:
            if len(self.open) >= MOST_OPEN:
                del self.open[next(iter(self.open))]
                self.dropped += 1
            run = self.open[session] = Run(now, now, now)
        elif now - run.touched >= TOUCHED_S:
            del self.open[session]
            self.open[session] = run
            run.touched = now
        return run

    def idle(self, now: float) -> Iterator[str]:
        """Sessions that nobody has touched for long; the caller ends them."""
        for session, run in list(self.open.items()):
            if now - run.touched <= IDLE_S:
                break
            yield session
