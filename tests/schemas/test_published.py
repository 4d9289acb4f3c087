"""The JSON Schemas under `schemas/json/` are the structs', and the event's is the contract's."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from schemas.published import CLOSED, WORDS, published, text
from schemas.wire import decode_event, encode
from tests.conftest import shared_contract
from tests.schemas.drawing import accepted

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "schemas" / "json"
EXAMPLES = [json.loads(line) for line in (HERE / "examples.jsonl").read_text().splitlines()]
INT64 = 2**63 - 1
every_word = pytest.mark.parametrize("word", sorted(WORDS))


@every_word
def test_the_published_file_is_what_the_structs_say(word):
    found = (FOLDER / f"{word}.schema.json").read_text()
    assert found == text(word), "schemas/json/ has drifted from the structs: run `make schemas`"


def test_nothing_is_published_that_is_no_word():
    assert {path.name for path in FOLDER.iterdir()} == {f"{word}.schema.json" for word in WORDS}


@every_word
def test_the_schema_is_a_schema(word):
    Draft202012Validator.check_schema(published(word))


@every_word
@given(data=st.data())
def test_what_a_schema_accepts_is_read_and_what_is_written_it_accepts(word, data):
    value = data.draw(accepted(published(word)))
    read = msgspec.json.decode(json.dumps(value), type=WORDS[word])
    written = msgspec.json.encode(read)
    Draft202012Validator(published(word)).validate(json.loads(written))
    assert msgspec.json.decode(written, type=WORDS[word]) == read


@given(accepted(published("agent-event")))
def test_every_event_that_the_schema_accepts_is_decoded(value):
    event = decode_event(json.dumps(value).encode())
    assert decode_event(encode(event)) == event


def test_an_unknown_field_is_refused_by_the_events_schema_alone():
    event = EXAMPLES[0]
    checks = Draft202012Validator(published("agent-event"))
    assert checks.is_valid(event)
    assert not checks.is_valid(event | {"surprise": 1})
    assert not checks.is_valid(event | {"data": event["data"] | {"surprise": 1}})
    assert checks.is_valid(event | {"data": event["data"] | {"attributes": {"surprise": 1}}})
    assert {"agent-event"} == CLOSED


def test_the_events_schema_is_the_contracts():
    contract = json.loads(shared_contract("agent-event.schema.json").read_text())
    ours = _plain(published("agent-event"), published("agent-event"))
    assert ours["properties"].pop("drill")["pattern"].startswith("^")  # ours alone
    assert ours == _plain(contract, contract)


def test_our_copy_of_the_examples_holds_every_example_of_the_contract():
    contract = shared_contract("examples.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in contract] == EXAMPLES[: len(contract)]


@given(st.data())
def test_a_broken_example_is_judged_as_the_contract_judges_it(data):
    contract = json.loads(shared_contract("agent-event.schema.json").read_text())
    event = _broken(data, deepcopy(data.draw(st.sampled_from(EXAMPLES))))
    ours = Draft202012Validator(published("agent-event")).is_valid(event)
    assert ours == Draft7Validator(contract).is_valid(event)


ODD = st.sampled_from(
    (
        None,
        True,
        False,
        0,
        -1,
        1.5,
        2.0,
        "",
        "x",
        "x" * 257,
        "x" * 4001,
        [],
        [1],
        {},
        {"id": "x"},
        "started",
        "1.0",
    )
)


def _broken(data: st.DataObject, value: Any) -> Any:
    """The value with one place changed, left out or added."""
    match value:
        case dict() if value and data.draw(st.booleans() | st.just(value=True)):
            name = data.draw(st.sampled_from(sorted(value)))
            match data.draw(st.sampled_from(("inside", "inside", "left out", "added"))):
                case "left out":
                    del value[name]
                case "added":
                    value[data.draw(st.sampled_from(("class", "id", "name", "surprise", "attributes")))] = (
                        data.draw(ODD)
                    )
                case _:
                    value[name] = _broken(data, value[name])
            return value
        case list() if value and data.draw(st.booleans()):
            value[0] = _broken(data, value[0])
            return value
    return data.draw(ODD)


def _plain(schema: Any, root: dict[str, Any]) -> Any:
    """One way of writing for what means the same: references resolved, `const` as `enum`, notes left out."""
    if isinstance(schema, list):
        return [_plain(each, root) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if reference := schema.get("$ref"):
        return _plain(root["$defs"][reference.rpartition("/")[2]], root)
    found = {name: _plain(each, root) for name, each in schema.items() if name not in _NOTES}
    if "const" in found:
        found["enum"] = [found.pop("const")]
    if isinstance(options := found.get("type"), list):
        found = {name: each for name, each in found.items() if name != "type"}
        found["anyOf"] = [{"type": each} for each in options]
    for name in ("enum", "required", "anyOf"):
        if name in found:
            found[name] = sorted(found[name], key=str)
    # Integers end where 64 bits do: the one bound that the contract leaves open.
    return {
        name: each
        for name, each in found.items()
        if (name, each) not in (("required", []), ("maximum", INT64))
    }


_NOTES = {"$schema", "$id", "$defs", "title", "description", "default"}
