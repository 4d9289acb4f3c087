"""One incident, whole: how severe and why, who was told, who did what, what waits for a person."""

from collections.abc import Iterator
from datetime import datetime

from rich.markup import escape
from rich.table import Table

from routing.content import advice, deed
from routing.words.wording import duration, instant, one_line
from schemas.incident import Incident
from streams.cli.console import table

LINE = 200


def shown(incident: Incident, now: datetime) -> Table:
    """The incident as rows of a name and a text."""
    made = table("", "")
    made.show_header = False
    for name, texts in _rows(incident, now):
        for number, text in enumerate(texts):
            made.add_row("" if number else f"[heading]{name}[/]", text)
    return made


def _rows(incident: Incident, now: datetime) -> Iterator[tuple[str, list[str]]]:
    end = incident.resolved or now
    yield "incident", [escape(incident.id)]
    yield "what", [_line(incident.summary)]
    yield (
        "status",
        [f"{incident.status}, for {duration(end - incident.opened)} (since {instant(incident.opened)})"],
    )
    score = f"[{incident.severity}]{incident.severity}[/] (score {incident.score} of 100)"
    yield "severity", [score, *(f"{part.points:+4d}  {_line(part.why)}" for part in incident.score_parts)]
    labels = " ".join(f"{name}={incident.labels[name]}" for name in sorted(incident.labels))
    yield "labels", [_line(labels)]
    yield "receiver", [_line(incident.receiver)]
    yield "paged", [_line(", ".join(incident.paged)) or "nobody"]
    yield (
        "theirs",
        [f"[person]{_line(each)}[/]" for each in (incident.acknowledged_by, incident.assigned) if each],
    )
    if incident.snoozed_until:
        yield "snoozed", [f"until {instant(incident.snoozed_until)}"]
    yield "muted by", [_line(each) for each in incident.muted_by]
    yield "to grant", [f"{_line(advice(each))}  [quiet]{each.decision}[/]" for each in incident.waiting]
    yield "done", [_line(deed(each)) for each in incident.deeds]
    yield (
        "feedback",
        [f"{name.replace('_', ' ')}: {count}" for name, count in sorted(incident.feedback.items())],
    )


def _line(text: str) -> str:
    return escape(one_line(text, LINE))
