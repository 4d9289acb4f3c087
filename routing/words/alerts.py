"""Keys of alerts, for channels that keep them."""

from schemas.page import Message, Page, Update


def under(message: Message) -> str:
    """The key of a page's alert; of an update the key under which the page arrived."""
    key = message.reference if isinstance(message, Update) else message.alert
    return key or message.incident


def replaced(message: Message) -> str:
    """The key of the alert that a page takes the place of, or nothing."""
    return message.replaces if isinstance(message, Page) else ""
