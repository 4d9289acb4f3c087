"""Which operation of an agent a span is, if any."""

from bridge import names
from bridge.raw import Attributes, Raw
from bridge.values import text


def operation(span: Raw) -> str | None:
    """The operation's name, or None: a request of HTTP, a query, a framework's own step."""
    attributes = span.attributes
    told = text(attributes, [names.OPERATION])
    if told is not None:
        return told
    kind = text(attributes, [names.OPENINFERENCE_KIND])
    if kind is not None:
        return names.OPENINFERENCE_OPERATIONS.get(kind.upper())
    kind = text(attributes, [names.OPENLLMETRY_KIND])
    if kind is not None:
        return names.OPENLLMETRY_OPERATIONS.get(kind.lower())
    request = text(attributes, [names.OPENLLMETRY_REQUEST])
    if request is not None:
        return names.OPENLLMETRY_REQUESTS.get(request.lower())
    return "chat" if _is_a_call(attributes) else None


def _is_a_call(attributes: Attributes) -> bool:
    """Early instrumentations name a model and its provider, and no operation."""
    return (
        text(attributes, (*names.REQUEST_MODEL, *names.MODEL)) is not None
        and text(attributes, names.PROVIDER) is not None
        and any(name in attributes for name in (*names.INPUT_TOKENS, *names.FINISH_REASONS))
    )
