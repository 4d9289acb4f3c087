"""Hypothesis strategies that draw what a JSON Schema accepts, for the keywords that our schemas use."""

from datetime import datetime
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

TEXT = st.characters(codec="utf-8")
KEYS = st.text(TEXT, max_size=8)


def accepted(schema: Json, root: Json | None = None) -> st.SearchStrategy[Any]:
    """Draws JSON values that `schema` accepts. `root` holds its `$defs`; by default the schema itself."""
    root = root or schema
    if reference := schema.get("$ref"):
        return accepted(root["$defs"][reference.rpartition("/")[2]], root)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if options := schema.get("anyOf"):
        return st.one_of([accepted(option, root) for option in options])
    return _DRAWN[schema["type"]](schema, root)


def _string(schema: Json, _: Json) -> st.SearchStrategy[str]:
    if pattern := schema.get("pattern"):
        return st.from_regex(pattern, fullmatch=True)
    if schema.get("format") == "date-time":
        return _times()
    size = st.text(TEXT, min_size=schema.get("minLength", 0), max_size=min(schema.get("maxLength", 20), 20))
    longest = schema.get("maxLength")
    return size if longest is None else size | st.just("x" * longest)


def _times() -> st.SearchStrategy[str]:
    zones = st.sampled_from(("Z", "+00:00", "-11:00", "+05:30", "+14:00"))
    years = st.datetimes(datetime(1970, 1, 1), datetime(9998, 12, 31))  # noqa: DTZ001 - the zone is drawn, too
    return st.builds(lambda at, zone: at.isoformat() + zone, years, zones)


def _number(schema: Json, _: Json) -> st.SearchStrategy[float]:
    low, high = schema.get("minimum"), schema.get("maximum")
    return st.floats(low, high, allow_nan=False, allow_infinity=False) | _integer(schema, _)


def _integer(schema: Json, _: Json) -> st.SearchStrategy[int]:
    low, high = schema.get("minimum", -(2**53)), schema.get("maximum", 2**53)
    return st.integers(low, high)


def _array(schema: Json, root: Json) -> st.SearchStrategy[list[Any]]:
    if items := schema.get("prefixItems"):
        return st.tuples(*[accepted(item, root) for item in items]).map(list)
    return st.lists(accepted(schema["items"], root), max_size=min(schema.get("maxItems", 3), 3))


def _object(schema: Json, root: Json) -> st.SearchStrategy[Json]:
    if "properties" not in schema:
        most = min(schema.get("maxProperties", 3), 3)
        return st.dictionaries(KEYS, accepted(schema["additionalProperties"], root), max_size=most)
    required = set(schema["required"])
    drawn = {name: accepted(each, root) for name, each in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: each for name, each in drawn.items() if name in required},
        optional={name: each for name, each in drawn.items() if name not in required},
    )


_DRAWN = {
    "string": _string,
    "number": _number,
    "integer": _integer,
    "boolean": lambda _, __: st.booleans(),
    "array": _array,
    "object": _object,
}
