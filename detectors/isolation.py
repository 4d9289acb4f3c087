"""One tenant's data with another: sessions of two tenants or users, others' resources, planted strings.

Nothing is learnt and nothing estimated: one breach is a finding, at the next point of the grid. It is told
until half an hour has passed without another.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from msgspec import Struct, field

from detectors.boundaries.breach_finding import breach
from detectors.boundaries.crossing import Crossing, What, named
from detectors.boundaries.parties import LONGEST_ID, MOST_SESSIONS, Parties, digest, short
from detectors.dense import encoded
from detectors.detector import Coming, Finding, State, decoded
from detectors.options import texts, truth
from detectors.redaction import redact
from detectors.settings import Watch
from schemas.event import Data, Event

TOLD_S = 1800.0
NOBODY = ("", "anonymous", "anon", "guest", "unknown", "none", "null")
"""Users that are nobody in particular: a session may begin with one of them and go on with a known one."""
SHARED = ("shared", "public", "global", "system")
"""Owners whose resources are everybody's."""
MOST_ACCEPTED = 64


class Remembered(Struct, array_like=True):
    """The whole state. `accepted`: pairs that a person called normal."""

    parties: Parties = field(default_factory=Parties)
    crossings: dict[str, Crossing] = {}
    accepted: dict[str, int] = {}


class Isolation:
    """Finding `breach`, labelled `kind`: `session`, `resource` or `honeytoken`.

    Options: `honeytokens`, owner (tenant or user) by planted string, where the first holder is not the owner;
    `shared`, further owners whose resources are everybody's; `shared_sessions: true` where several users of
    one tenant share a session; `redact`, further patterns.
    """

    name: ClassVar[str] = "isolation"
    version: ClassVar[int] = 1
    warm_up: ClassVar[str] = "None: one breach is one too many, from the first event on."
    quiet_arl_days: ClassVar[float] = 36500.0
    watches: ClassVar[frozenset[str]] = frozenset(
        {"agent.operation.v1", "agent.session.v1", "agent.approval.v1"}
    )
    takes: ClassVar[frozenset[str]] = frozenset({"honeytokens", "shared", "shared_sessions", "redact"})
    outlives_s: ClassVar[float] = TOLD_S + 120.0

    __slots__ = ("_known", "_nobody", "_owners", "_parties", "_patterns", "_shared", "_state", "_users")

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Raises ValueError where an option does not hold."""
        self.configure(watch, options)
        self._restore(Remembered())

    def _restore(self, state: Remembered) -> None:
        self._state, self._parties = state, state.parties
        self._known: dict[str, tuple[str | None, str | None]] = {}

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol's
        """Follows other options; what was learnt stays."""
        owners = options.get("honeytokens", {})
        if not isinstance(owners, Mapping):
            raise ValueError(f"honeytokens must be owners by planted string, found {owners!r}")  # noqa: TRY004 - options are texts: a wrong one is a wrong value
        self._owners = {str(token): short(str(owner)) for token, owner in owners.items()}
        self._shared = frozenset((*SHARED, *texts(options, "shared")))
        self._users = not truth(options, "shared_sessions")
        self._nobody = frozenset(NOBODY)
        self._patterns: Sequence[str] = texts(options, "redact")

    def observe(self, event: Event, now: float) -> None:
        """Takes one event: those that name a tenant, a user, resources or planted strings."""
        data = event.data
        if data.tenant is not None or data.user is not None or data.isolation is not None:
            self._take(event, data, now)

    def observe_many(self, coming: Coming) -> None:
        """Takes several; of many agents none says whose they are, and most say it of a session again."""
        known = self._known
        for event, now in coming:
            data = event.data
            tenant, user, conversation = data.tenant, data.user, data.conversation
            if tenant is None and user is None and data.isolation is None:
                continue
            if (
                conversation is None
                or data.isolation is not None
                or data.limits is not None
                or now // 60 != self._parties.minute
                or known.get(conversation.id or "")
                != (tenant.id if tenant else None, user.id if user else None)
            ):
                self._take(event, data, now)

    def _take(self, event: Event, data: Data, now: float) -> None:
        parties = self._parties
        minute = int(now // 60)
        if minute != parties.minute:
            parties.turn(minute)
            self._known.clear()
        tenant = (data.tenant.id if data.tenant is not None else None) or ""
        if len(tenant) > LONGEST_ID:
            tenant = short(tenant)
        user = (data.user.id if data.user is not None else None) or ""
        user = "" if user in self._nobody else user if len(user) <= LONGEST_ID else short(user)
        if data.limits is not None and (data.limits.concurrency or 0) > parties.active:
            parties.active = data.limits.concurrency or 0
        conversation = data.conversation
        if conversation is not None and conversation.id:
            tenant, user = self._whose(event, conversation.id, (tenant, user), now)
        if data.isolation is not None:
            self._touched(event, (tenant, user), now)

    def _whose(self, event: Event, session: str, who: tuple[str, str], now: float) -> tuple[str, str]:
        """Who touches a session. What it says once more in the same minute need not be looked at again."""
        data, key, seen = event.data, digest(session), self._parties.sessions.seen
        said = (*who, self._parties.minute)
        found = who
        if seen.get(key) != said:
            if len(seen) >= MOST_SESSIONS:
                self._known.clear()  # one of them may be forgotten
            found = self._session(event, who, key, now)
        if seen.get(key) == said:
            tenant = data.tenant.id if data.tenant is not None else None
            self._known[session] = tenant, data.user.id if data.user is not None else None
        return found

    def _session(self, event: Event, who: tuple[str, str], key: int, now: float) -> tuple[str, str]:
        """Whose session it is; tells where it was somebody else's before. Returns who touches it."""
        parties = self._parties
        known = parties.sessions.seen.get(key)
        owner = known[:2] if known is not None else ("", "")
        whose = owner[0] or who[0], owner[1] or who[1]
        if known is None or known[2] != parties.minute or whose != owner:
            parties.learn(key, *whose, known)
        if who[0] and who[0] != whose[0]:
            self._cross("tenant", (whose[0], who[0]), event, now, "session")
        elif self._users and who[1] and who[1] != whose[1]:
            self._cross("user", (whose[1], who[1]), event, now, "session")
        return who[0] or whose[0], who[1] or whose[1]

    def _touched(self, event: Event, who: tuple[str, str], now: float) -> None:
        """Resources and planted strings of an event; whose they may be is the tenant's, or the user's."""
        party = who[0] or who[1]
        found = event.data.isolation
        if not party or found is None:
            return
        mine = {*who, event.data.agent.name} | self._shared
        for resource in found.resources or ():
            owner = short(resource.owner)
            if owner and owner not in mine:
                name = redact(resource.id[:64], self._patterns)
                what = f"{resource.access or 'touch'} of {resource.kind} {name}"
                self._cross("resource", (owner, party), event, now, what)
        for token in found.honeytokens or ():
            owner = self._owners.get(token) or self._parties.holder(token, party)
            if owner not in who:
                self._cross("honeytoken", (owner, party), event, now, f"planted string {token[:40]}")

    def _cross(self, what: What, sides: tuple[str, str], event: Event, now: float, thing: str) -> None:
        """One breach, at the boundary `what`; `sides`: whose it is, and who touched it."""
        owner, other = (named(side, digest(side), self._patterns) for side in sides)
        if f"{owner}\0{other}" in self._state.accepted:
            return
        kind = "session" if what in {"tenant", "user"} else what
        crossing = self._state.crossings.get(kind)
        if crossing is None:
            crossing = self._state.crossings[kind] = Crossing(now, now)
        crossing.take((owner, other), what, now, self._parties.crowd)
        conversation = event.data.conversation
        if conversation is not None and conversation.id:
            crossing.touch(digest(conversation.id))
        crossing.sample(event, f"{thing}: {owner}'s, touched by {other}")

    @property
    def wake_at(self) -> float | None:
        """When what is told has been quiet for long enough."""
        crossings = self._state.crossings
        return min(each.latest for each in crossings.values()) + TOLD_S if crossings else None

    def findings(self, now: float) -> Sequence[Finding]:
        """Breaches of the last half hour, and those before that led up to them."""
        crossings = self._state.crossings
        if not crossings:
            return ()
        for kind in [kind for kind, each in crossings.items() if now - each.latest >= TOLD_S]:
            del crossings[kind]
        return [breach(kind, each, self._parties, now) for kind, each in sorted(crossings.items())]

    def rebase(self, now: float) -> None:  # noqa: ARG002 - the protocol's
        """These pairs may touch what is each other's from here on; what holds ends."""
        for crossing in self._state.crossings.values():
            self._state.accepted.update(dict.fromkeys(crossing.pairs, 1))
        excess = len(self._state.accepted) - MOST_ACCEPTED
        for pair in list(self._state.accepted)[: max(0, excess)]:
            del self._state.accepted[pair]
        self._state.crossings = {}

    def save(self) -> State:
        """The whole state: about 15 bytes for each session that names a tenant and a user."""
        return State(encoded(self._state))

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        """Continues from a saved state."""
        loaded = cls(watch, options)
        loaded._restore(decoded(cls, state, version, Remembered))
        return loaded
