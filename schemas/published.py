"""The JSON Schemas of the words, generated from the structs, for other languages and schema registries.

The event's is closed: a registry refuses a field that it does not know, while our own reader ignores it.
What the product itself publishes stays open, so that a field may be added. `make schemas` writes them.
"""

from collections.abc import Callable, Mapping
from inspect import cleandoc
from types import MappingProxyType
from typing import Any

import msgspec

from schemas.cause import AnyCause
from schemas.control import AnyControl
from schemas.decision import Decision
from schemas.event import Event
from schemas.incident import Incident
from schemas.page import Message
from schemas.signal import Signal

DIALECT = "https://json-schema.org/draft/2020-12/schema"
WORDS: Mapping[str, Any] = MappingProxyType(
    {
        "agent-event": Event,
        "cause": AnyCause,
        "control": AnyControl,
        "decision": Decision,
        "incident": Incident,
        "page": Message,
        "signal": Signal,
    }
)
CLOSED = frozenset({"agent-event"})

Json = dict[str, Any]


def published(word: str) -> Json:
    """The schema of one of `WORDS`.

    Raises:
        KeyError: there is no such word.
    """
    schema = _mapped(msgspec.json.schema(WORDS[word]), _written)
    if word in CLOSED:
        schema = _mapped(schema, _closed)
    return {"$schema": DIALECT, "$id": f"urn:agent-oversight:{word}:1", **schema}


def text(word: str) -> str:
    """The file `schemas/json/<word>.schema.json`, whole."""
    return msgspec.json.format(msgspec.json.encode(published(word)), indent=1).decode() + "\n"


def _mapped(schema: Json, change: Callable[[Json], Json]) -> Json:
    """The schema with `change` applied to every object in it, innermost first."""
    return change({name: _inside(value, change) for name, value in schema.items()})


def _inside(value: Any, change: Callable[[Json], Json]) -> Any:
    match value:
        case dict():
            return _mapped(value, change)
        case list():
            return [_inside(each, change) for each in value]
    return value


def _written(schema: Json) -> Json:
    """What is absent is left out, never null: the reader takes null, nobody writes it."""
    if isinstance(description := schema.get("description"), str):
        schema = schema | {"description": cleandoc(description)}
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(options) == len(schema.get("anyOf", ())):
        return schema
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    return rest | (options[0] if len(options) == 1 else {"anyOf": options})


def _closed(schema: Json) -> Json:
    return {**schema, "additionalProperties": False} if "properties" in schema else schema
