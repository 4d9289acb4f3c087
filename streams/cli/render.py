"""`oversight render`: what will a page look like, in each channel?"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import msgspec
from click.exceptions import Exit
from msgspec import Struct
from msgspec.structs import replace
from rich.markup import escape

from routing.notifiers.notifier import Notifier, Print
from routing.notifiers.registry import discover
from routing.words.sample import PAGE, follow_up, too_long
from routing.words.showing import rehearsed, shown
from schemas.page import Message, Page, UpdateReason
from schemas.wire import Malformed, decode_message
from streams.cli.console import Wrong, console, emit
from streams.cli.options import as_json
from streams.cli.rules import policy_of
from streams.delivering.rendering import Renderer

HELP = """Shows a page as each channel would be sent it; nothing is sent, and no secret is needed.

The words are the built-in ones, or those of a template of the configuration (`messages:`), filled in the
sandbox of the worker, within the same second. The incident is a sample, or the first page of a file: a line
of `oversight replay --json`, or of the topic `oversight.pages`. What a channel would cut is a warning.

\b
Examples:
  oversight render                                         every channel, built-in words
  oversight render --channel slack --channel email
  oversight render oversight.yml --template sec --channel teams
  oversight replay last-week.jsonl --config oversight.yml --json | grep '"kind":"page"' > pages.jsonl
  oversight render oversight.yml --template sec --incident pages.jsonl
  oversight render --reason resolved --json

Exit codes: 0 shown, 1 the template failed (the built-in words are shown), 2 wrong usage or input.
"""
REASONS = ("opened", "updated", "acknowledged", "resolved")
NOTIFIERS = discover()


class Look(Struct, frozen=True):
    """One channel's form of a page. `fault`: of the template. `warnings`: what is cut."""

    channel: str
    title: str
    body: str
    sent: Sequence[str]
    warnings: Sequence[str]
    fault: str = ""


@click.command("render", help=HELP, short_help="What will a page look like, in each channel?")
@click.argument("config", type=click.Path(path_type=Path), required=False)
@click.option(
    "--channel", "kinds", multiple=True, type=click.Choice(sorted(NOTIFIERS)), help="Only this one."
)
@click.option("--template", help="The name of one of the configuration's `messages:`.")
@click.option(
    "--incident", type=click.Path(path_type=Path), help="A file whose first line that is a page is taken."
)
@click.option(
    "--reason",
    type=click.Choice(REASONS),
    default="opened",
    show_default=True,
    help="A page, or what follows it.",
)
@as_json(help="One JSON object a channel.")
def command(
    *,
    config: Path | None,
    kinds: tuple[str, ...],
    template: str | None,
    incident: Path | None,
    reason: str,
    form: str | None,
) -> None:
    """Prints what would be sent."""
    text = _template(config, template)
    page = _page(incident) if incident else PAGE
    page = replace(page, content=replace(page.content, template=text))
    wanted = {kind: NOTIFIERS[kind] for kind in kinds or NOTIFIERS}
    looks = asyncio.run(_looks(page, reason, wanted))
    if form == "json":
        emit(looks)
    else:
        for look in looks:
            _print(look)
    if any(look.fault for look in looks):
        raise Exit(1)


def _template(config: Path | None, name: str | None) -> str:
    if name is None:
        return ""
    if config is None:
        raise click.UsageError("--template needs the configuration that has it")
    messages = policy_of(config).messages
    if name not in messages:
        raise Wrong(f"no message {name!r} in {config}; known are: {', '.join(messages) or 'none'}")
    return messages[name]


def _page(path: Path) -> Page:
    """The first page of a file of records.

    Raises:
        Wrong: it cannot be read, or holds none.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise Wrong(f"{path}: {error.strerror}") from error
    for message in _messages([path.read_bytes(), *lines]):
        return message
    raise Wrong(f"{path} holds no page: expected a line of `oversight replay --json` whose kind is page")


def _messages(texts: Sequence[bytes]) -> Iterator[Page]:
    for text in texts:
        try:
            message = decode_message(text)
        except Malformed:
            continue
        if isinstance(message, Page):
            yield message


async def _looks(page: Page, reason: str, wanted: Mapping[str, type[Notifier]]) -> list[Look]:
    renderer = Renderer()
    try:
        return [await _look(page, reason, notifier, renderer) for notifier in wanted.values()]
    finally:
        await renderer.close()


async def _look(page: Page, reason: str, notifier: type[Notifier], renderer: Renderer) -> Look:
    words = await renderer.render(page, page.time)
    steps, reference = rehearsed(notifier, page, words)
    message: Message = page
    if reason != "opened":
        message = follow_up(page, msgspec.convert(reason, UpdateReason), reference)
        words = await renderer.render(message, page.time)
        steps, _ = rehearsed(notifier, message, words)
    # Where a template was filled there are no facts.
    fault = words.facts[-1].text if page.content.template and words.facts else ""
    told = [step.markup if isinstance(step, Print) else shown(step) for step in steps]
    return Look(notifier.kind, words.title, words.body, told, too_long(words, notifier.room), fault)


def _print(look: Look) -> None:
    console().rule(f"[heading]{look.channel}[/]", align="left")
    console().print(f"[heading]{escape(look.title)}[/]\n{escape(look.body)}\n", soft_wrap=True)
    for each in look.sent or ["nothing is sent\n"]:
        is_markup = look.channel == "terminal"
        console().print(each if is_markup else f"[quiet]{escape(each)}[/]", soft_wrap=True)
    complaints = [("error", look.fault)] if look.fault else []
    for style, words in [*complaints, *(("warning", each) for each in look.warnings)]:
        console().print(f"[{style}]{look.channel}: {escape(words)}[/]", soft_wrap=True)
