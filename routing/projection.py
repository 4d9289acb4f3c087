"""The strict Alertmanager part of a configuration, as Alertmanager itself reads it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from routing.matchers import parse_matchers
from routing.policy import Policy
from routing.rules.document.kept import GLOBALS, INTEGRATIONS

SECTIONS = (
    "global",
    "templates",
    "route",
    "inhibit_rules",
    "receivers",
    "time_intervals",
    "mute_time_intervals",
)
MATCHERS = frozenset({"matchers", "source_matchers", "target_matchers"})
_TRUTH = frozenset({"true", "false", "yes", "no", "on", "off"})
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?\Z")
_KEY = re.compile(r"[a-z][a-z_]*\Z")
INDENT = "  "


def project(policy: Policy) -> str:
    """YAML that Alertmanager takes: without what is ours, matchers written so that all versions agree."""
    kept = {section: policy.raw[section] for section in SECTIONS if policy.raw.get(section) is not None}
    kept["receivers"] = [_receiver(each) for each in kept.get("receivers", ())]
    return "".join(f"{line}\n" for line in _lines(_normal(kept), ""))


def _receiver(receiver: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in receiver.items() if key == "name" or key in INTEGRATIONS}


def _normal(value: Any) -> Any:
    """Matchers one a line, in the form that both grammars read alike; fields without a value left out."""
    if isinstance(value, list):
        return [_normal(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: _matchers(each) if key in MATCHERS else _normal(each)
        for key, each in value.items()
        if each is not None
    }


def _matchers(texts: list[str]) -> list[str]:
    return [str(matcher) for text in texts for matcher in parse_matchers(text)]


def _lines(value: Any, indent: str, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Block YAML; every text that is no truth value or number is quoted as in JSON."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _entry(f"{indent}{_scalar(key, ())}:", each, indent + INDENT, (*path, key))
    else:
        for each in value:
            yield from _entry(f"{indent}-", each, indent + INDENT, path)


def _entry(head: str, value: Any, indent: str, path: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(value, (Mapping, list)):
        yield f"{head} {_scalar(value, path)}"
    elif not value:
        yield f"{head} {'{}' if isinstance(value, Mapping) else '[]'}"
    elif head.endswith("-"):
        first, *rest = _lines(value, indent, path)
        yield f"{head} {first.removeprefix(indent)}"
        yield from rest
    else:
        yield head
        yield from _lines(value, indent, path)


def _scalar(value: Any, path: tuple[str, ...]) -> str:
    if value is None:
        return "null"
    text = str(value)
    if _may_be_plain(path) and (text.lower() in _TRUTH or _NUMBER.match(text)):
        return text
    return text if not path and _KEY.match(text) else _quoted(text)


def _quoted(text: str) -> str:
    """In single quotes where it holds double ones and nothing that needs an escape."""
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False)


def _may_be_plain(path: tuple[str, ...]) -> bool:
    """Where Alertmanager wants numbers and truth values: `continue`, and what is kept unchecked."""
    return bool(path) and (path[-1] == "continue" or not {*INTEGRATIONS, *GLOBALS}.isdisjoint(path))
