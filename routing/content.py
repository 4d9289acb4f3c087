"""What a page says: read on a phone in ten seconds, from what happens to whom down to the next step.

Everything here comes from events of others: it is made one line, bounded and free of control characters
before it is shown; each channel escapes it in its own way.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from routing.notifiers.notifier import Fact, Rendered
from routing.words.sparkline import sparkline
from routing.words.wording import (
    counted,
    duration,
    instant,
    lines,
    measure,
    number,
    one_line,
    percent,
)
from schemas.decision import Offer
from schemas.deed import Deed
from schemas.page import Content, Message, Notice, Other
from schemas.signal import DRILL_HEAD, Blast, Contributor, Sample, Signal

TITLE = 150
BODY = 3000
ELSEWHERE = frozenset({"agent", "detector", "finding", "severity", "team"})
LINE = 300
SAMPLE = 160
OTHER = 160
SHORT = 12
"""Letters of an incident's id that tell it from others."""
PLACE = 120
PLACES = 12
PARTS = 16
FEW = 3
TELLING_LIFT = 1.2
"""Below it, something is as frequent among the others."""
LABELS = 32
URL = 1000
STATUS = {"acknowledged": "ACKNOWLEDGED", "resolved": "RESOLVED"}


class Link(msgspec.Struct, frozen=True):
    """An address to follow: `http` or `https`, without white space."""

    name: str
    url: str


def built_in(message: Message) -> Rendered:
    """The message as it is worded where the team has no template of its own."""
    facts = tuple(_noted(message) if isinstance(message, Notice) else _facts(message))
    return Rendered(title=title(message), body=_body(facts), facts=facts)


def worded(message: Message, text: str) -> Rendered:
    """The message as the team's own template worded it; of a fire drill, that it is one comes first."""
    drill = f"{DRILL_HEAD}{_drill(message.content)}\n" if message.content.drill else ""
    return Rendered(title=title(message), body=lines(drill + text, BODY))


def after_fault(message: Message, fault: str) -> Rendered:
    """The built-in text, and why the team's own template could not be used."""
    note = Fact("Note", f"the team's message template failed: {one_line(fault, LINE)}")
    facts = (*_facts(message), note)
    return Rendered(title=title(message), body=_body(facts, note), facts=facts)


def title(message: Message) -> str:
    """One line of at most 150 characters for a lock screen: severity or status, who, and what happens."""
    if isinstance(message, Notice):
        return one_line(message.summary, TITLE)
    content = message.content
    head = STATUS.get(content.status, content.severity.upper())
    what = (content.title or message.summary).removeprefix(DRILL_HEAD)
    whose = content.labels.get("agent", "")
    if whose and whose not in what:
        what = f"{whose}: {what}"
    return one_line(f"{'DRILL ' if content.drill else ''}{head}: {what}", TITLE)


def links(message: Message) -> tuple[Link, ...]:
    """Addresses on the page: traces of its samples, runbook, dashboard; only web addresses."""
    found = [Link("trace", sample.trace or "") for sample in _samples(message.content)]
    found += [Link("runbook", message.content.runbook), Link("dashboard", message.content.dashboard)]
    return tuple(link for link in found if _is_web(link.url))


def variables(message: Message) -> dict[str, Any]:
    """What a team's template may name: plain data, no secrets, no objects.

    `n` (signals that fire), `labels`, `severity`, `score`, `score_why`, `summary`, `links` (by name, the
    first of each), `incident`, `reason`, `to`, and the fields of the content.
    """
    content = message.content
    fields = {name: getattr(content, name) for name in content.__struct_fields__ if name != "template"}
    plain: dict[str, Any] = msgspec.to_builtins(fields)
    return plain | {
        "n": content.firing,
        "labels": _labels(content.labels),
        "score_why": _score_why(content),
        "summary": _what(message),
        "links": {link.name: link.url for link in reversed(links(message))},
        "incident": message.incident,
        "reason": message.reason,
        "to": message.to,
    }


def advice(offer: Offer) -> str:
    """What advice would do, in words: `roll back agent refund-agent, release 2.4.0`."""
    subject = ", ".join(f"{name} {offer.subject[name]}" for name in sorted(offer.subject))
    return one_line(f"{offer.action.replace('_', ' ')} {subject}", LINE)


def deed(done: Deed) -> str:
    """Who did what, when and by which way."""
    via = f" by {one_line(done.via, 80)}" if done.via else ""
    note = f": {one_line(done.note, LINE)}" if done.note else ""
    return f"{instant(done.at)} {one_line(done.by, 80)} {done.did}{via}{note}"


def _noted(notice: Notice) -> Iterator[Fact]:
    """What a notice says, without what only incidents have."""
    return (Fact(one_line(label, LINE), lines(text, BODY)) for label, text in notice.facts)


def _body(facts: Sequence[Fact], *last: Fact) -> str:
    """Facts as lines; `last` are kept whole where the rest is cut."""
    tail = "".join(f"\n{_line(fact)}" for fact in last)
    text = "\n".join(_line(fact) for fact in facts if fact not in last)
    return lines(text, BODY - len(tail)) + tail


def _line(fact: Fact) -> str:
    """`label: text`; text of several lines becomes a list."""
    bullets = "".join(f"\n- {line}" for line in fact.text.splitlines())
    return f"{fact.label}:{bullets}" if bullets.count("\n") > 1 else f"{fact.label}: {fact.text}"


def _facts(message: Message) -> Iterator[Fact]:
    """What a page must hold, in the order in which it is read.

    Left out: what is not known, and what the title already says.
    """
    content = message.content
    told = (
        ("DRILL", _drill(content)),
        *_storm(content, message.time),
        ("What", "" if _what(message) in title(message) else _what(message)),
        ("Status", _status(content)),
        ("Done", "\n".join(deed(each) for each in content.deeds)),
        ("Where", _where(content)),
        *_measured(content, message),
        ("Also", _also(content.signals[1:])),
        ("Related", ", ".join(one_line(each, LINE) for each in content.related[:FEW])),
        ("Samples", "\n".join(_sample(each) for each in _samples(content))),
        (f"Why {content.severity}", _score_why(content)),
        ("Next", one_line(content.next_step, LINE)),
        ("To grant", "\n".join(f"{advice(each)} ({each.decision})" for each in content.waiting[:FEW])),
        ("Runbook", one_line(content.runbook, URL)),
        ("Dashboard", one_line(content.dashboard, URL)),
        ("Team", one_line(content.team, LINE)),
    )
    return (Fact(label, text) for label, text in told if text)


def _storm(content: Content, now: datetime) -> Iterator[tuple[str, str]]:
    """What it says of other incidents."""
    storm = content.storm
    if storm is None:
        return
    shown = "\n".join(_other(each, now) for each in storm.worst)
    if storm.told:
        yield "Incidents", shown
        more = storm.told - len(storm.worst)
        yield "More", f"{counted(more, 'more incident')}: see oversight incidents" if more > 0 else ""
    if storm.waiting:
        until = f" at {instant(storm.until)} or later" if storm.until and storm.until > now else " soon"
        yield (
            "Waiting",
            (
                f"{counted(storm.waiting, 'more incident')}, for the next page,{until}"
                + ("" if storm.told else f"\n{shown}")
            ),
        )
    if storm.ended:
        yield "Ended", f"{counted(storm.ended, 'more incident')} began and ended"


def _other(each: Other, now: datetime) -> str:
    """One incident in a line."""
    sessions = f", {counted(each.sessions, 'session')}" if each.sessions else ""
    status = "" if each.status == "triggered" else f", {each.status}"
    words = one_line(each.summary, OTHER)
    known = f"{duration(now - each.since)}{sessions}{status}; {each.incident[:SHORT]}"
    return f"{each.severity} {each.score}: {words} ({known})"


def _measured(content: Content, message: Message) -> Iterator[tuple[str, str]]:
    """The numbers of the worst signal."""
    yield "Since", _since(content, message)
    for signal in content.signals[:1]:
        yield "Observed", _observed(signal)
        yield "Trend", " ".join(part for part in (signal.trend, sparkline(signal.history)) if part)
        yield "Affected", _affected(signal.blast)
        yield "Stands out", "\n".join(_contributor(each) for each in signal.contributors[:FEW])
        yield "Changed", "\n".join(one_line(each, LINE) for each in signal.changes[:FEW])


def _what(message: Message) -> str:
    first = next(iter(message.content.signals), None)
    return one_line((first.summary if first else message.summary).removeprefix(DRILL_HEAD), LINE)


def _drill(content: Content) -> str:
    """What it is, and who would have been told."""
    if not content.drill:
        return ""
    instead = f" It is told here instead of to {one_line(content.instead, LINE)}." if content.instead else ""
    return f"a fire drill: nothing is wrong. Act as you would if it were.{instead}"


def _where(content: Content) -> str:
    """The labels that say nothing elsewhere on the page: environment, model, tool and the like."""
    own = [name for name in sorted(set(content.labels) - ELSEWHERE) if content.labels[name]]
    told = [one_line(f"{name} {content.labels[name]}", PLACE) for name in own[:PLACES]]
    return ", ".join([*told, f"and {len(own) - PLACES} more"] if len(own) > PLACES else told)


def _status(content: Content) -> str:
    if content.status == "resolved":
        reasons = sorted({one_line(signal.reason, LINE) for signal in content.signals} - {""})
        return f"resolved ({', '.join(reasons[:FEW])})" if reasons else "resolved"
    if content.status == "acknowledged":
        return f"acknowledged by {one_line(content.acknowledged_by, LINE) or 'somebody'}"
    return ""


def _since(content: Content, message: Message) -> str:
    return f"{duration(message.time - content.since)} ({instant(content.since)})"


def _observed(signal: Signal) -> str:
    if signal.observed is None:
        return ""
    parts = [measure(signal.observed, signal.unit)]
    if signal.baseline is not None:
        parts.append(f"against {measure(signal.baseline, signal.unit)}")
    parts += _magnitude(signal)
    if signal.burn_rates:
        rates = ", ".join(f"{number(signal.burn_rates[name])} over {name}" for name in signal.burn_rates)
        parts.append(f"· budget burnt at {one_line(rates, LINE)}")
    if signal.exhausted_in_s is not None:
        left = timedelta(seconds=signal.exhausted_in_s)
        parts.append(f"· 3-day budget {f'gone in {duration(left)}' if left else 'spent'}")
    return " ".join(parts)


def _magnitude(signal: Signal) -> list[str]:
    """A mere number, without a unit, says no more than what was observed."""
    shape = {"ratio": "({} times)", "sigma": "({} sigma)", "burn_rate": "(burning {} times too fast)"}
    if signal.magnitude is None or signal.magnitude_unit not in shape:
        return []
    return [shape[signal.magnitude_unit].format(number(signal.magnitude))]


def _affected(blast: Blast) -> str:
    nouns = (("session", blast.sessions), ("user", blast.users), ("tenant", blast.tenants))
    counts = ", ".join(counted(count, noun) for noun, count in nouns if count)
    least = "at least " if blast.capped and counts else ""
    share = f"{percent(blast.share)} of all" if blast.share else ""
    return "; ".join(part for part in (least + counts, share) if part)


def _contributor(each: Contributor) -> str:
    what = f"{one_line(each.dimension, 60)}={one_line(each.value, 80)}"
    lift = f", {number(each.lift)} times as often as in the others" if each.lift >= TELLING_LIFT else ""
    return f"{what}: {percent(each.share)} of the affected{lift}"


def _also(others: Sequence[Signal]) -> str:
    told = [one_line(signal.summary, LINE) for signal in others[:FEW]]
    if len(others) > FEW:
        told.append(f"and {len(others) - FEW} more")
    return "\n".join(told)


def _samples(content: Content) -> list[Sample]:
    return [sample for signal in content.signals for sample in signal.samples][:FEW]


def _sample(sample: Sample) -> str:
    text = one_line(sample.text, SAMPLE) or one_line(sample.event, SAMPLE)
    trace = f" · trace {one_line(sample.trace, URL)}" if sample.trace else ""
    return f"{instant(sample.time)} “{text}”{trace}"


def _score_why(content: Content) -> str:
    shown = content.score_parts[:PARTS]
    parts = ", ".join(f"{one_line(part.why, 80)} {part.points:+d}" for part in shown)
    return f"score {content.score} of 100" + (f": {parts}" if parts else "")


def _labels(labels: dict[str, str]) -> dict[str, str]:
    return {one_line(name, 80): one_line(labels[name], LINE) for name in sorted(labels)[:LABELS]}


def _is_web(url: str) -> bool:
    return url.startswith(("http://", "https://")) and len(url) <= URL and url == "".join(url.split())
