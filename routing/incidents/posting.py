"""Notices: words that ask nobody to act, each tried a few times, until it is heard that it arrived."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from routing.addressing import addressed, shown
from routing.incidents.refusals import note
from routing.incidents.state import Core, Unheard
from routing.incidents.turn import Turn
from routing.words.wording import one_line
from schemas.cause import Reported
from schemas.identity import derived
from schemas.outcome import Deferred, Delivered
from schemas.page import Channel, Content, Notice, PageReason

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
LOUD = frozenset({"pagerduty", "opsgenie"})
"""Channels that wake people: no notice goes there."""
PATIENCE = 4
"""Attempts at a notice."""
PAUSE = timedelta(minutes=1)
UNKNOWN_AFTER = timedelta(minutes=2)
UNHEARD_CAP = 256
WORD = 200


class Word(Struct, frozen=True, kw_only=True):
    """What is to be said: one sentence, and facts by label.

    `kind` and `name`: what it is about, such as the handoffs of a schedule. `schedule`: with which it is
    forgotten, or empty. `sequence`: tells two of the same kind at the same instant apart. `drill`: the fire
    drill that it is about.
    """

    kind: str
    name: str
    reason: PageReason
    title: str
    facts: tuple[tuple[str, str], ...]
    schedule: str = ""
    sequence: str = ""
    drill: str = ""


def post(
    turn: Turn,
    word: Word,
    readers: Iterable[tuple[str, Channel]],
    rest: tuple[tuple[str, Channel], ...] = (),
) -> None:
    """One notice to each channel, for whom it is; `rest`: who is told instead, one after another."""
    core = turn.state.core
    for to, channel in readers:
        where = (channel.kind, channel.target, *filter(None, [addressed(channel)]))
        parts = (word.name, word.reason, turn.now.isoformat(), *where)
        notice = Notice(
            id=derived("notice", *parts, *([word.sequence] if word.sequence else [])),
            time=turn.now,
            incident=f"{word.kind}:{word.name}",
            severity="info",
            to=to,
            channel=channel,
            reason=word.reason,
            summary=word.title,
            content=_content(turn, word),
            facts=word.facts,
        )
        _put(turn, Unheard(notice=notice, schedule=word.schedule, due=turn.now, rest=rest))
    arm(core)


def heard(turn: Turn, cause: Reported) -> bool:
    """Takes an outcome, if it is a notice's."""
    unheard = turn.state.core.unheard.get(cause.page)
    if unheard is None:
        return False
    notice = unheard.notice
    if isinstance(cause.outcome, Delivered) or not notice.content.drill:
        note(turn, notice.to, notice.channel, cause.outcome)
    if cause.attempt != notice.attempt:
        turn.state.count("outcomes repeated")
    elif isinstance(cause.outcome, Delivered):
        del turn.state.core.unheard[cause.page]
    elif isinstance(cause.outcome, Deferred) and cause.attempt < PATIENCE:
        unheard.due = turn.now + cause.attempt * PAUSE
    else:
        _give_up(turn, unheard, cause.outcome.reason)
    arm(turn.state.core)
    return True


def post_again(turn: Turn) -> None:
    """The next attempt at what is due: nothing was heard of the last, or it is time."""
    for unheard in [each for each in turn.state.core.unheard.values() if each.due <= turn.now]:
        notice = unheard.notice
        if notice.attempt >= PATIENCE:
            _give_up(turn, unheard, "no outcome was reported")
            continue
        unheard.notice = replace(
            notice, time=turn.now, attempt=notice.attempt + 1, began=notice.began or notice.time
        )
        _send(turn, unheard)


def arm(core: Core) -> None:
    """When the first shift, notice or digest is due."""
    waits = [each.due for each in core.handovers.values()]
    waits += [each.due for each in core.unheard.values()]
    waits += [each.due for each in core.digests.values()]
    core.handoff_at = min(waits, default=NEVER)


def _content(turn: Turn, word: Word) -> Content:
    """Of no incident: nothing to acknowledge, nothing that fires."""
    return Content(
        title=word.title, severity="info", score=0, score_parts=(), status="resolved", since=turn.now,
        labels={}, signals=(), firing=0, resolved=0, drill=word.drill,
    )  # fmt: skip


def _put(turn: Turn, unheard: Unheard) -> None:
    core = turn.state.core
    while len(core.unheard) >= UNHEARD_CAP:
        del core.unheard[next(iter(core.unheard))]
        turn.state.count("notices dropped at the cap")
    core.unheard[unheard.notice.id] = unheard
    _send(turn, unheard)


def _send(turn: Turn, unheard: Unheard) -> None:
    unheard.due = turn.until + UNKNOWN_AFTER if turn.state.core.clock == "wall" else NEVER
    turn.emit("pages", unheard.notice.incident, unheard.notice)


def _give_up(turn: Turn, unheard: Unheard, reason: str) -> None:
    """Its owner hears of it; who is told instead is told what became of it."""
    notice = unheard.notice
    del turn.state.core.unheard[notice.id]
    where = f"{notice.channel.kind} {shown(notice.channel.target)}"
    what = f"schedule {unheard.schedule}" if unheard.schedule else notice.incident.replace(":", " ", 1)
    turn.complain(f"{what}: a notice did not reach {where}: {reason}", notice.id)
    if unheard.rest:
        (to, channel), *rest = unheard.rest
        instead = replace(
            notice,
            id=derived(
                "notice", notice.id, channel.kind, channel.target, *filter(None, [addressed(channel)])
            ),
            time=turn.now,
            to=to,
            channel=channel,
            attempt=1,
            began=None,
            facts=(
                *notice.facts,
                ("Instead of", f"{where}, which did not take it: {one_line(reason, WORD)}"),
            ),
        )
        _put(turn, Unheard(notice=instead, schedule=unheard.schedule, due=turn.now, rest=tuple(rest)))
