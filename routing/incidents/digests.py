"""Digests: what a channel is to hear of now and then, in one notice a period; nothing where nothing happened.

What happens to an incident is written down when it happens; the notice is due at the next point of a grid of
the period, counted from the epoch. What is still open is asked when the notice is made.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from heapq import nsmallest
from typing import Literal, cast

from routing.addressing import channel_key
from routing.incidents.folding import matters
from routing.incidents.incident import Case
from routing.incidents.posting import LOUD, Word, arm, post
from routing.incidents.state import START, Digest, News
from routing.incidents.turn import Turn
from routing.policy import ChannelTarget
from routing.severity import RANK
from routing.words.wording import counted, duration, one_line
from schemas.page import Channel

NEWS_CAP = 200
"""Incidents whose news a digest tells one by one; more are counted."""
FEW = 10
"""Lines of each part."""
LINE = 200
Kind = Literal["new", "worse", "over"]
PARTS = (("new", "New"), ("worse", "Worse"), ("over", "Resolved"))


def gather(turn: Turn, case: Case, target: ChannelTarget) -> None:
    """Something new is to be told of an incident: it opened, or got worse."""
    if case.drill or target.digest is None:
        return
    key = digest_key(case.receiver, target.channel)
    kind: Kind = "worse" if key in case.digests else "new"
    case.digests = tuple(dict.fromkeys((*case.digests, key)))
    turn.state.digested.put(key, case)
    _note(_begun(turn, case.receiver, target), case, kind)
    turn.state.touch(case)


def ended(turn: Turn, case: Case) -> None:
    """An incident is over: digests that told of it, or are to, say so, whoever else has it by now."""
    for key in case.digests:
        turn.state.digested.drop(key, case)
        target = _target(turn, key)
        digest = turn.state.core.digests.get(key)
        if digest is None and target is not None and target.send_resolved:
            digest = _begun(turn, key.partition("\n")[0], target)
        if digest is not None and (digest.tells_ends or case.id in digest.news):
            _note(digest, case, "over")
    case.digests = ()


def _begun(turn: Turn, receiver: str, target: ChannelTarget) -> Digest:
    """What is gathered for a channel of a receiver that wants a digest, from now on if nothing was."""
    key, period = digest_key(receiver, target.channel), cast("timedelta", target.digest)
    if key not in turn.state.core.digests:
        turn.state.core.digests[key] = Digest(
            receiver=receiver,
            channel=target.channel,
            period=period,
            tells_ends=target.send_resolved,
            due=turn.now - (turn.now - START) % period + period,
        )
        arm(turn.state.core)
    return turn.state.core.digests[key]


def digests_due(turn: Turn) -> None:
    """Digests whose period is over are told."""
    digests = turn.state.core.digests
    for key, digest in [(key, each) for key, each in digests.items() if each.due <= turn.now]:
        del digests[key]
        _tell(turn, key, digest)


def follow_digests(turn: Turn) -> None:
    """Another policy: what was gathered for a digest that it lacks is told now."""
    digests = turn.state.core.digests
    for key, digest in tuple(digests.items()):
        target = _target(turn, key)
        if target is None or target.digest != digest.period:
            digest.due = turn.now


def digest_key(receiver: str, channel: Channel) -> str:
    """The name of the digest that a channel of a receiver gets."""
    return f"{receiver}\n{channel_key(channel)}"


def _note(digest: Digest, case: Case, kind: Kind) -> None:
    """The last thing that happened to an incident; what is new and worse is still new."""
    before = digest.news.get(case.id)
    if before is None and len(digest.news) >= NEWS_CAP:
        digest.more += 1
        return
    digest.news[case.id] = News(
        kind=before.kind if before and kind == "worse" else kind,
        severity=case.severity,
        score=case.score,
        opened=case.opened,
        at=case.resolved,
        words=one_line(case.summary, LINE),
    )


def _tell(turn: Turn, key: str, digest: Digest) -> None:
    still = [turn.state.cases[each] for each in turn.state.digested.all(key) if each not in digest.news]
    kinds = [each.kind for each in digest.news.values()]
    count = len(still) + sum(kind != "over" for kind in kinds)
    title = (
        f"{digest.receiver}, the last {duration(digest.period)}: {kinds.count('new')} new, "
        f"{kinds.count('over')} resolved, {count} open"
    )
    facts = tuple((label, text) for label, text in _facts(turn, digest, still) if text)
    word = Word(kind="digest", name=digest.receiver, reason="digest", title=title, facts=facts)
    post(turn, word, [(digest.receiver, digest.channel)], _instead(turn, digest))


def _instead(turn: Turn, digest: Digest) -> tuple[tuple[str, Channel], ...]:
    """Who is told where the channel is dead: the receiver's others that wake nobody, then the root's.

    Other digests of the receiver tell the same: only the first of them is passed on.
    """
    mine = [each.channel for each in _channels(turn, digest.receiver) if each.digest is not None]
    if digest.channel in mine[1:]:
        return ()
    told = {channel_key(each) for each in (digest.channel, *mine)}
    found: dict[str, tuple[str, Channel]] = {}
    for name in (digest.receiver, turn.policy.route.receiver):
        for channel in [each.channel for each in _channels(turn, name)]:
            if channel_key(channel) not in told and channel.kind not in LOUD:
                found.setdefault(channel_key(channel), (name, channel))
    return tuple(found.values())


def _facts(turn: Turn, digest: Digest, still: list[Case]) -> Iterator[tuple[str, str]]:
    for kind, label in PARTS:
        found = [each for each in digest.news.values() if each.kind == kind]
        found.sort(key=lambda each: (-RANK[each.severity], -each.score, each.opened))
        yield label, _listed((_line(each, turn.now) for each in found[:FEW]), len(found))
    first = nsmallest(FEW, still, key=lambda each: (-RANK[each.severity], *matters(each)))
    lines = (f"{_of(turn, each)}{_taken(each)}" for each in first)
    yield "Still open", _listed(lines, len(still))
    yield "More", f"{counted(digest.more, 'change')} more: see oversight incidents" if digest.more else ""


def _of(turn: Turn, case: Case) -> str:
    age = duration(turn.now - case.opened)
    return f"{case.severity} {case.score}: {one_line(case.summary, LINE)} (for {age})"


def _taken(case: Case) -> str:
    return f", acknowledged by {one_line(case.acknowledged_by, 80)}" if case.acknowledged_by else ""


def _line(each: News, now: datetime) -> str:
    age = duration((each.at or now) - each.opened)
    lasted = f"lasted {age}" if each.kind == "over" else f"for {age}"
    return f"{each.severity} {each.score}: {each.words} ({lasted})"


def _listed(lines: Iterable[str], count: int) -> str:
    more = [f"and {count - FEW} more"] if count > FEW else []
    return "\n".join([*lines, *more])


def _target(turn: Turn, key: str) -> ChannelTarget | None:
    """The entry of the policy that wants this digest, if it still does."""
    name = key.partition("\n")[0]
    found = _channels(turn, name)
    return next((each for each in found if each.digest and digest_key(name, each.channel) == key), None)


def _channels(turn: Turn, name: str) -> list[ChannelTarget]:
    """A receiver's channels, told at once or by a digest."""
    receiver = turn.policy.receivers.get(name)
    return [each for each in receiver.notify if isinstance(each, ChannelTarget)] if receiver else []
