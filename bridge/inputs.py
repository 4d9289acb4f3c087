"""What a user said to a model, where the call answers it: only then is the last message the user's."""

from typing import Any

from bridge.names import INPUT, OLD_PROMPT, OPENINFERENCE_INPUT
from bridge.raw import Attributes
from bridge.values import parsed

LONGEST = 4000
MOST_MESSAGES = 1000
_USERS = frozenset({"user", "human"})


def user_text(attributes: Attributes) -> str | None:
    """The last message, at most 4,000 characters of it, where it is the user's."""
    last = _structured(attributes.get(INPUT)) or _old(attributes) or _openinference(attributes)
    if last is None:
        return None
    role, said = last
    return said[:LONGEST] if role in _USERS and said else None


def _structured(messages: Any) -> tuple[str, str] | None:
    """`[{"role": "user", "parts": [{"type": "text", "content": "…"}]}]`, as such or as JSON."""
    if isinstance(messages, str):
        messages = parsed(messages)
    if not isinstance(messages, list) or not messages or not isinstance(messages[-1], dict):
        return None
    return str(messages[-1].get("role")), _content(messages[-1].get("parts", messages[-1].get("content")))


def _content(content: Any) -> str:
    """The texts of a message, whatever else is in it."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [each.get("content", each.get("text")) for each in content if isinstance(each, dict)]
    return "\n".join(each for each in parts if isinstance(each, str))


def _old(attributes: Attributes) -> tuple[str, str] | None:
    """`gen_ai.prompt.N.role` and `.content`."""
    return _numbered(attributes, OLD_PROMPT, "role", "content")


def _openinference(attributes: Attributes) -> tuple[str, str] | None:
    """`llm.input_messages.N.message.role` and `.content`."""
    return _numbered(attributes, OPENINFERENCE_INPUT, "message.role", "message.content")


def _numbered(attributes: Attributes, prefix: str, role: str, content: str) -> tuple[str, str] | None:
    if f"{prefix}.0.{role}" not in attributes:
        return None
    last = 0
    while last < MOST_MESSAGES and f"{prefix}.{last + 1}.{role}" in attributes:
        last += 1
    said = attributes.get(f"{prefix}.{last}.{content}")
    if isinstance(said, str) and said.startswith("["):  # content in parts, as JSON
        said = _content(parsed(said)) or said
    return str(attributes[f"{prefix}.{last}.{role}"]), said if isinstance(said, str) else ""
