"""What can be done from a letter or a card: links to `oversight serve`, where both settings are there."""

from datetime import datetime

from routing.callbacks.links import LASTS, LEAST_SECRET, LONGEST_NAME, Wanted, address
from routing.content import Link
from routing.notifiers.notifier import Secrets
from routing.words.answers import no_address, setting
from routing.words.wording import one_line
from schemas.page import Message, Notice, Page, Update

URL, SECRET = "OVERSIGHT_LINK_URL", "OVERSIGHT_LINK_SECRET"
OFFERED = {
    "triggered": ("acknowledge", "silence", "resolve"),
    "acknowledged": ("silence", "resolve"),
    "resolved": (),
}
OF_MANY = {"triggered": ("acknowledge",)}
"""Of a page that speaks for several incidents: these are taken together, and closed one by one."""
CAPTIONS = {"acknowledge": "Acknowledge", "silence": "Silence 1 h", "resolve": "Resolve"}


def deed_links(message: Message, secrets: Secrets) -> tuple[Link, ...]:
    """What is still to be done, each as a link for whom the message is."""
    base = setting(secrets, f"env:{URL}", "")
    secret = setting(secrets, f"env:{SECRET}", "").partition(",")[0].strip()
    if isinstance(message, Notice) or not base or no_address(base) or len(secret) < LEAST_SECRET:
        return ()
    until = int((_first(message) + LASTS).timestamp())
    by = one_line(message.to, LONGEST_NAME)
    return tuple(
        Link(CAPTIONS[action], address(base, secret, Wanted(action, message.incident, by, until)))
        for action in _offered(message)
    )


def _offered(message: Page | Update) -> tuple[str, ...]:
    content = message.content
    of_many = content.storm is not None and content.storm.told > 0
    return OF_MANY.get(content.status, ()) if of_many else OFFERED[content.status]


def _first(message: Message) -> datetime:
    """When it was first asked for: an attempt that is repeated sends the same."""
    return message.time if isinstance(message, Update) else message.began or message.time
