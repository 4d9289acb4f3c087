"""`oversight incident`: take, close, put off, hand over and comment incidents."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click
import msgspec

from routing.callbacks.requests import AFTERWARDS, Request
from routing.content import advice
from schemas.incident import Incident
from streams.cli.account import account
from streams.cli.console import Wrong, console, emit
from streams.cli.incident_shown import shown
from streams.cli.incidents import board_at
from streams.cli.options import BROKER, LASTS, UNTIL, as_json
from streams.cli.saying import say
from streams.hosting.clock import WallClock
from streams.ingress.board import Board, Unknown

HELP = """Does to incidents what a person does: everything here is also a button or a call of the HTTP API.

An INCIDENT is its id or the beginning of it, as `oversight incidents` shows it. What is done is written to
Kafka; the router follows it at once. DURATION is such as 30m, 2h or 1d.

\b
Examples:
  oversight incident show inc-4f5a
  oversight incident ack inc-4f5a
  oversight incident snooze inc-4f5a --for 2h
  oversight incident silence inc-4f5a --for 1d --comment "load test"
  oversight incident reassign inc-4f5a --user bo
  oversight incident comment inc-4f5a "the provider is down, waiting"
  oversight incident feedback inc-4f5a false-alarm
  oversight incident grant inc-4f5a
  oversight incident refuse inc-4f5a dec-81c0
  oversight incident resolve inc-4f5a
"""
RULINGS = frozenset({"grant", "refuse"})
Adding = Callable[[Callable[..., None]], Callable[..., None]]


@click.group("incident", help=HELP, short_help="Take, close, snooze, hand over, comment an incident.")
def command() -> None:
    """Gathers the actions."""


def _shared(adding: Callable[..., None]) -> Callable[..., None]:
    """What every action takes."""
    options: tuple[Adding, ...] = (
        click.argument("incident"),
        BROKER,
        click.option("--by", default=account, show_default="your user name", help="Who does it."),
        as_json(help="The cause that was written, as JSON."),
    )
    for each in reversed(options):
        adding = each(adding)
    return adding


@command.command("ack", short_help="Take it: nobody else is paged.")
@_shared
def ack(**given: Any) -> None:
    """Takes an incident: nobody else is paged, until the acknowledgement lapses."""
    _do("acknowledge", **given)


@command.command("resolve", short_help="Close it.")
@_shared
def resolve(**given: Any) -> None:
    """Closes an incident; signals that still fire stay closed with it, unless they get worse."""
    _do("resolve", **given)


@command.command("snooze", short_help="Put it off: it pages again then, if it still holds.")
@_shared
@LASTS
@UNTIL
def snooze(*, lasts: str, until: datetime | None, **given: Any) -> None:
    """Puts an incident off: it pages again then, if it still holds."""
    _do("snooze", Request(lasts=lasts, until=until), **given)


@command.command("silence", short_help="Silence it and what is like it.")
@_shared
@LASTS
@UNTIL
@click.option("--comment", default="", help="Why.")
def silence(*, lasts: str, until: datetime | None, comment: str, **given: Any) -> None:
    """Silences an incident and whatever is like it: its group's labels, agent, environment and finding."""
    _do("silence", Request(lasts=lasts, until=until, comment=comment), **given)


@command.command("reassign", short_help="Hand it to a person or a team.")
@_shared
@click.option("--user", default="", help="To this person, who is paged at once.")
@click.option("--team", default="", help="To this team, whose escalation is climbed.")
def reassign(*, user: str, team: str, **given: Any) -> None:
    """Hands an incident to a person or a team."""
    _do("reassign", Request(user=user, team=team), **given)


@command.command("comment", short_help="Say something in its thread.")
@_shared
@click.argument("text")
def comment(*, text: str, **given: Any) -> None:
    """Says something about an incident, open or over; it appears in the thread of each page."""
    _do("comment", Request(text=text), **given)


@command.command("feedback", short_help="Was the page worth it?")
@_shared
@click.argument("verdict", type=click.Choice(["useful", "false-alarm"]))
def feedback(*, verdict: str, **given: Any) -> None:
    """Tells whether the page was worth it."""
    said = msgspec.convert({"verdict": verdict.replace("-", "_")}, Request)
    _do("feedback", said, **given)


@command.command("grant", short_help="Let advice that waits be followed.")
@_shared
@click.argument("decision", default="")
def grant(*, decision: str, **given: Any) -> None:
    """Grants advice that waits for a person: DECISION, or the only one."""
    _do("grant", Request(decision=decision), **given)


@command.command("refuse", short_help="Refuse advice that waits, for this incident.")
@_shared
@click.argument("decision", default="")
def refuse(*, decision: str, **given: Any) -> None:
    """Refuses advice: it ends, and is not given again in this incident."""
    _do("refuse", Request(decision=decision), **given)


@command.command("show", short_help="All that is known of it: why so severe, who was told, who did what.")
@click.argument("incident")
@BROKER
@as_json(help="As it stands on `oversight.incidents`.")
def show(*, incident: str, bootstrap: str, form: str | None) -> None:
    """Shows an incident: how severe and why, who was told, who did what, what waits for a person."""
    found = _found(board_at(bootstrap), incident)
    if form == "json":
        emit([found])
    else:
        console().print(shown(found, WallClock().now()))


def _found(board: Board, incident: str) -> Incident:
    try:
        return board.find(incident)
    except Unknown as unknown:
        raise Wrong(str(unknown)) from unknown


def decision_meant(found: Incident, said: str) -> str:
    """The decision that is meant: by its id or the beginning of it, or the only one that waits.

    Raises:
        Wrong: it is not clear which.
    """
    waiting = [each.decision for each in found.waiting if each.decision.startswith(said)]
    if len(waiting) == 1:
        return waiting[0]
    if not found.waiting and not said:
        raise Wrong(f"nothing of incident {found.id} waits for a person")
    if not said or len(waiting) > 1:
        told = "; ".join(f"{each.decision} {advice(each)}" for each in found.waiting)
        raise Wrong(f"which decision? There are: {told}")
    return said


def _do(
    action: str, said: Request | None = None, *, incident: str, bootstrap: str, by: str, form: str | None
) -> None:
    """Finds the incident, writes the cause, says so."""
    board = board_at(bootstrap)
    found = _found(board, incident)
    if action not in AFTERWARDS and board.is_over(found, action):
        raise Wrong(f"incident {found.id} is over")
    if said is not None and action in RULINGS:
        said = msgspec.structs.replace(said, decision=decision_meant(found, said.decision))
    hand = say(bootstrap, by, action, said, found.id)
    if form == "json":
        emit([hand])
    else:
        console().print(f"[fine]✓[/] {action} {found.id}: {found.summary}", markup=True, soft_wrap=True)
