"""Writes docs/example-page.md anew: the pages of one outage, as a replay of real events words them.

Run: python tools/example_page.py EVENTS 2026-02-22T11:43
"""

import sys
from pathlib import Path

from routing.content import built_in
from schemas.page import Message, Page, Update
from streams.files import config_files, lines
from streams.replay import replay

ROOT = Path(__file__).resolve().parents[1]
HEAD = """# What a page looks like

An outage of 22 February 2026 in real sessions of a retail agent: all of 35 sessions failed within two
minutes.
These are the messages that `examples/retail` sends for it, in order, as the built-in words have them; Slack
gets the same as blocks with buttons, PagerDuty as an event with details. Nobody acknowledges here, so the
escalation climbs.
"""


def messages(events: Path, since: str) -> list[Message]:
    """All messages of the incident whose first page came at a time that begins with `since`."""
    told = replay(lines([events]), config_files(ROOT / "examples" / "retail"))
    found = [word for _, words in told for word in words if isinstance(word, Page | Update)]
    first = next(each for each in found if isinstance(each, Page) and each.time.isoformat().startswith(since))
    return [each for each in found if each.incident == first.incident]


def section(message: Message) -> str:
    """One message as Markdown."""
    kind = "update" if isinstance(message, Update) else "page"
    words = built_in(message)
    what = f"{kind} to {message.to} by {message.channel.kind}: {message.reason}"
    return f"\n## {message.time:%H:%M:%S} UTC, {what}\n\n```text\n{words.title}\n\n{words.body}\n```\n"


def main() -> None:
    """Writes the page."""
    events, since = Path(sys.argv[1]), sys.argv[2]
    text = HEAD + "".join(section(each) for each in messages(events, since))
    (ROOT / "docs" / "example-page.md").write_text(text)


if __name__ == "__main__":
    main()
