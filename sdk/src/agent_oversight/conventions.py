"""Attributes of OpenTelemetry's GenAI conventions, in the words of the contract."""

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple, get_type_hints

from msgspec import ValidationError, convert

from agent_oversight.words import Parts

PARTS = get_type_hints(Parts)
OLDER = {
    "gen_ai.system": "gen_ai.provider.name",
    "gen_ai.usage.prompt_tokens": "gen_ai.usage.input_tokens",
    "gen_ai.usage.completion_tokens": "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_creation.input_tokens": "gen_ai.usage.cache_write.input_tokens",
}
"""Names of earlier versions, where the newer are not said."""
OTHERWISE = {"mcp.method.name": "gen_ai.mcp.method_name"}
"""A name with a dot that is none of ours."""
OWN = ("conversation", "attributes", "error")
"""Parts that are not read as they are."""
MOST_KEYS = 1024


class Place(NamedTuple):
    """Where an attribute goes."""

    part: str
    field: str
    is_older: bool


@lru_cache(MOST_KEYS)
def place(key: str) -> Place | None:
    """Where an attribute of this name goes; None: nowhere."""
    current = OLDER.get(key) or OTHERWISE.get(key, key)
    part, _, field = current.removeprefix("gen_ai.").partition(".")
    return Place(part, field.replace(".", "_"), key in OLDER) if part in PARTS and part not in OWN else None


def parts_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """What attributes say; a part that is not of its types is left out."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in said.items():
        if (where := place(key)) is not None:
            fields = found.setdefault(where.part, {})
            if not where.is_older or where.field not in fields:
                fields[where.field] = value
    with suppress(ValidationError):
        fits: dict[str, Any] = convert(found, Parts, strict=False)
        return fits
    fitting: dict[str, Any] = {}
    for part, fields in found.items():
        with suppress(ValidationError):
            fitting[part] = convert(fields, PARTS[part], strict=False)
    return fitting
