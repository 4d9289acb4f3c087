"""An incident as the router keeps it: its signals, who was told what, pages and timers.

These records are the router's state: they are changed in place by the fold and saved as they are.
"""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from routing.severity import RANK
from schemas.decision import Action, Then
from schemas.deed import Deed, Verdict
from schemas.page import Channel, PageReason, ScorePart, Severity, Status, UpdateReason
from schemas.signal import DRILL, Signal

PageState = Literal["waiting", "delivered", "deferred", "dead", "withdrawn"]
"""`waiting`: sent, no outcome yet; `dead`: undeliverable; `withdrawn`: no longer worth another attempt."""


class Kept(Struct, kw_only=True, omit_defaults=True, gc=False):
    """A part of the router's state: a tree without cycles, which the garbage collector need not walk."""


class Member(Kept):
    """A signal of an incident, as last asserted at `asserted`.

    `score`, `parts` and `severity` are the highest since it fires: a signal that wobbles about the edge of a
    band pages once. `labels`: the signal's with `team` and `severity`.
    """

    signal: Signal
    labels: dict[str, str]
    score: int
    parts: tuple[ScorePart, ...]
    severity: Severity
    asserted: datetime

    @property
    def fires(self) -> bool:
        """Whether it holds."""
        return self.signal.state == "firing"

    @property
    def is_drill(self) -> bool:
        """Whether it belongs to a fire drill: then nothing real is to be taken from it."""
        return DRILL in self.labels


class Told(Kept):
    """What a target was told last: which signals fire and are resolved, when it was paged, how severe.

    `opening`: during which opening of the incident (0 is the first; it counts reopenings). `times`: how
    often it was paged. `severity`: as it was paged; `shown`: as its message shows by now. `hushed`: how many
    incidents that this one keeps quiet its message shows.
    """

    firing: tuple[str, ...]
    resolved: tuple[str, ...]
    paged: datetime
    severity: Severity
    opening: int
    times: int = 1
    shown: Severity = "info"
    hushed: int = 0


class Edit(Kept):
    """The last update of a delivered page. `settled`: it arrived, or never will.

    `opening`: during which opening of the incident it was made, as in `Told`.
    """

    id: str
    reason: UpdateReason
    attempt: int = 1
    settled: bool = False
    opening: int = 0


class Sent(Kept):
    """A page that was sent. `rest`: channels that are tried next if this one is dead, in order.

    `at`: when it was first sent. `step` and `sequence` are those of the climb it belongs to. `wanted`: an
    update that waits for the page's outcome. `quiet`: its target wants no word of resolutions. `template`:
    name of its message. `unheard`: of an attempt nothing was heard, so it may have arrived. `instead`: who
    would have been told, had a drill no room.
    """

    id: str
    target: str
    to: str
    channel: Channel
    reason: PageReason
    at: datetime
    state: PageState = "waiting"
    attempt: int = 1
    rest: tuple[Channel, ...] = ()
    step: int = 0
    sequence: int = 0
    takes: int = 0
    """How often somebody had taken the incident before."""
    opening: int = 0
    """During which opening of the incident it was sent, as in `Told`."""
    reference: str = ""
    template: str = ""
    quiet: bool = False
    unheard: bool = False
    instead: str = ""
    budget: str = ""
    """Whose pages it is one of, and of which severity."""
    speaks: tuple[str, ...] = ()
    """Other incidents that it speaks for."""
    ended: int = 0
    """How many had begun and ended without a page, since the page before it."""
    alert: str = ""
    """Under which key its channel keeps it, if not under the incident's id."""
    replaces: str = ""
    """The key of the alert that it takes the place of."""
    closed: bool = False
    """Whether its alert was told to close: what would trigger it again is not said any more."""
    wanted: UpdateReason | None = None
    edit: Edit | None = None
    edits: int = 0

    @property
    def settled(self) -> bool:
        """Whether nothing more is to be learnt or said about it."""
        if self.edit is not None and not self.edit.settled:
            return False
        if self.state == "delivered":
            return self.wanted is None
        return self.state in ("dead", "withdrawn") and not self.unheard


class Withheld(Kept):
    """A page that waits, because its recipient had as many as the limit allows; since when.

    `budget`: whose, and of which severity. The rest is as it would have been sent.
    """

    budget: str
    target: str
    to: str
    channels: tuple[Channel, ...]
    reason: PageReason
    since: datetime
    step: int = 0
    sequence: int = 0
    template: str = ""
    quiet: bool = False


class Folded(Kept):
    """A page that somebody got by the page of another incident: `page` of `case`, at that severity.

    `over`: they got one of its own since, or that page did not arrive. `takes`, `opening`: as in `Sent`.
    """

    case: str
    page: str
    target: str
    to: str
    severity: Severity
    step: int = 0
    sequence: int = 0
    over: bool = False
    takes: int = 0
    opening: int = 0


class Climb(Kept):
    """How far an escalation was climbed, since `began`. `sequence` counts how often its steps began anew.

    `first`: who is paged before the first step (which is -1 then), because the incident was handed to them.
    `since`: the sequence with which that began; pages of earlier ones are answered.
    """

    escalation: str
    began: datetime
    first: str = ""
    step: int = 0
    round: int = 0
    sequence: int = 0
    since: int = 0
    finished: bool = False


class Given(Kept):
    """Advice that was given `times` times, the last valid until `until` (None: while its signal fires).

    `signal`: which called for it last. `valid`: for how long it is given. The rest is as in
    `schemas.decision`; `retries` are its `times`.
    """

    action: Action
    subject: dict[str, str]
    until: datetime | None
    automatic: bool
    times: int = 1
    granted_by: str = ""
    refused_by: str = ""
    valid: timedelta | None = None
    after_s: float | None = None
    retries: int | None = None
    then: Then | None = None
    limits: dict[str, float] = {}
    like: tuple[str, ...] = ()
    signal: str = ""

    def holds(self, now: datetime) -> bool:
        """Whether it is still valid."""
        return self.until is None or self.until > now


class Case(Kept):
    """An incident. `key`: its group's; `grid`: when its group was last flushed; `timers`: due time by name.

    `joinable`: new signals of its group join it. `agent`, `team`: of its first signal. `opening`: how often
    it fired again after its resolution. `closed_by`: who resolved it by hand, while its signals may still
    fire. `taken`: how severe it was when somebody took it. `muted_by`: what kept signals of it from being
    told when it was last flushed; `hushed_by`: the incidents among that. `gone`: resolved signals that were
    reported and left; `beyond`: assertions for which no room was. `snoozed`: until when somebody does not
    want to hear of it; `assigned`: to whom it was handed.
    """

    id: str
    key: str
    route: str
    receiver: str
    labels: dict[str, str]
    opened: datetime
    agent: str = ""
    team: str = ""
    joinable: bool = True
    status: Status = "triggered"
    severity: Severity = "info"
    score: int = 0
    parts: tuple[ScorePart, ...] = ()
    summary: str = ""
    members: dict[str, Member] = {}
    told: dict[str, Told] = {}
    pages: dict[str, Sent] = {}
    climbs: dict[str, Climb] = {}
    timers: dict[str, datetime] = {}
    paged: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    """Ids of what people did, as far as it was applied, the latest last."""
    advised: dict[str, Given] = {}
    """Advice that was given, by what it says of whom."""
    opening: int = 0
    grid: datetime | None = None
    acknowledged_by: str = ""
    acknowledged: datetime | None = None
    taken: Severity = "info"
    takes: int = 0
    """How often somebody took it."""
    closed_by: str = ""
    resolved: datetime | None = None
    muted_by: tuple[str, ...] = ()
    hushed_by: tuple[str, ...] = ()
    gone: int = 0
    beyond: int = 0
    snoozed: datetime | None = None
    assigned: str = ""
    deeds: tuple[Deed, ...] = ()
    withheld: dict[str, Withheld] = {}
    """Pages that wait, by target and recipient."""
    digests: tuple[str, ...] = ()
    """Digests that tell of it."""
    folded: dict[str, Folded] = {}
    """Pages that it has by other incidents' pages, by the page's id."""
    flaps: int = 0
    """How often it ended within the time that counts, if that is too often; else 0."""
    ended: Signal | None = None
    """The end of its last signal, which is not believed yet."""
    judged: dict[str, Verdict] = {}
    """Verdicts, by who gave them."""

    @property
    def open(self) -> bool:
        """Whether it is not resolved."""
        return self.status != "resolved"

    @property
    def drill(self) -> str:
        """The fire drill that it belongs to, or empty: it counts nowhere, and no advice comes of it."""
        return self.labels.get(DRILL, "")

    def firing(self) -> list[Member]:
        """The members that hold, in the order in which they joined."""
        return [member for member in self.members.values() if member.fires]

    def weigh(self) -> None:
        """Takes severity, score and summary from its worst member. Some member must fire."""
        worst = self.worst()
        self.severity, self.score, self.parts = worst.severity, worst.score, worst.parts
        self.summary = worst.signal.summary

    def worst(self) -> Member:
        """The member that fires with the highest score, the first to join among equals."""
        return max(self.firing(), key=weight)


def weight(member: Member) -> tuple[int, int]:
    """Orders members: by band, then by score."""
    return (RANK[member.severity], member.score)
