"""Which dead letters are meant."""

from datetime import datetime

from msgspec import Struct

from streams.deadletters.letter import Letter


class Wanted(Struct, frozen=True, kw_only=True):
    """Those that have all of this; what is empty or None is not asked for. Written in [since, until)."""

    reason: str = ""
    agent: str = ""
    since: datetime | None = None
    until: datetime | None = None
    kind: str | None = None
    state: str | None = None

    def has(self, letter: Letter) -> bool:
        """Whether a letter is among them."""
        return (
            self.reason.casefold() in letter.reason.casefold()
            and self.agent in {"", letter.agent}
            and self.kind in {None, letter.kind}
            and self.state in {None, letter.state}
            and (self.since is None or letter.at >= self.since)
            and (self.until is None or letter.at < self.until)
        )
