"""A span and those around it: whose work it is, and which of two spans of one model call tells of it."""

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from schemas.event import Agent, Conversation, Event, Identified
from schemas.span import Who

DEEPEST = 64
"""Spans above a span that are asked; a deeper tree is no agent's."""


class Link(Struct, frozen=True, array_like=True):
    """What is remembered of a span. `parent` is empty at a root."""

    parent: str
    who: Who


def above(links: Mapping[str, Link], span: str) -> Iterator[Link]:
    """The links of a span and of those above it, as far as they are known, the nearest first."""
    for _ in range(DEEPEST):
        link = links.get(span)
        if link is None:
            return
        yield link
        span = link.parent


def is_known_to_the_root(links: Mapping[str, Link], span: str) -> bool:
    """Whether nothing more can be learnt from above."""
    last = None
    for link in above(links, span):
        last = link
    return last is not None and not last.parent


def who(links: Mapping[str, Link], span: str) -> Who:
    """What the nearest span says of each."""
    found = Who()
    for link in above(links, span):
        found = Who(
            **{name: getattr(found, name) or getattr(link.who, name) for name in Who.__struct_fields__}
        )
    return found


def mark_around(around: dict[str, bool], links: Mapping[str, Link], span: str) -> None:
    """Marks all above a span, as far as they are known: a call of a model lies within them.

    A marked call is the wrapper of another: frameworks and clients are often instrumented both, and each
    tells the tokens of the same call.
    """
    for _ in range(DEEPEST):
        link = links.get(span)
        if link is None or not link.parent or link.parent in around:
            return
        span = link.parent
        around[span] = True


def joined(event: Event, of: Who, fallback: str) -> Event:
    """The event as whose work it is. `fallback`: what its agent is called where no span names it.

    The version is the agent's, else its service's.
    """
    data = event.data
    service = data.service.version if data.service is not None else None
    said = replace(
        data,
        agent=Agent(of.agent or of.workflow or fallback, version=of.version or service),
        conversation=Conversation(of.conversation) if of.conversation else None,
        user=Identified(of.user) if of.user else None,
        tenant=Identified(of.tenant) if of.tenant else None,
    )
    return replace(event, data=said)
