import time

import pytest

from routing.rules.yaml_source import parse
from routing.rules.yaml_tree import Place
from schemas.cause import ConfigFile


def read(text):
    return parse(ConfigFile("c.yml", text))


def plain(text):
    found = read(text)
    assert found.faults == ()
    return found.root.plain()


def fault(text):
    found = read(text)
    assert found.root is None
    return str(found.faults[-1])


def test_scalars_stay_texts():
    text = "a: on\nb: 22:00\nc: 0x10\nd: 2026-01-01\ne: ''\nf: '~'\ng: no\nh: 1_000\ni: !!str\n"
    assert plain(text) == {
        "a": "on", "b": "22:00", "c": "0x10", "d": "2026-01-01", "e": "", "f": "~", "g": "no", "h": "1_000",
        "i": "",
    }  # fmt: skip


def test_only_plain_nulls_are_null():
    assert plain("a:\nb: ~\nc: null\nd: 'null'\n") == {"a": None, "b": None, "c": None, "d": "null"}


def test_everything_knows_its_place():
    root = read("a:\n  - b: c\n  - [d]\n").root
    assert root.keys["a"] == Place("c.yml", 1, 1)
    assert root.at("a", 0, "b").place == Place("c.yml", 2, 8)
    assert root.at("a", 1, 0).place == Place("c.yml", 3, 6)
    assert root.at("a", 2) is None
    assert root.at("x", 0) is None
    assert root.nearest("a", "nothing", 1, 7).place == Place("c.yml", 3, 5)


def test_all_duplicate_keys_are_told_and_the_first_holds():
    found = read("a: 1\nb: {c: 1, c: 2}\na: 2\n")
    assert found.root.plain() == {"a": "1", "b": {"c": "1"}}
    assert [str(each) for each in found.faults] == [
        'c.yml:2:11: duplicate key "c" (first on line 2)',
        'c.yml:3:1: duplicate key "a" (first on line 1)',
    ]


def test_anchors_aliases_and_merge_keys_work_as_in_alertmanager():
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: &c {z: 4}\n"
    text += "d:\n  <<: [*a, *c]\n  w: *c\ne: &s text\nf: *s\n"
    found = plain(text)
    assert found["b"] == {"y": "3", "x": "1"}
    assert found["d"] == {"w": {"z": "4"}, "x": "1", "y": "2", "z": "4"}
    assert found["f"] == "text"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n\tb: 1\n", "c.yml:2:1: a tab here: YAML is indented with spaces only"),
        ("a: b: c\n", "c.yml:1:5: mapping values are not allowed here"),
        ("a: 'x\n", "c.yml:2:1: found unexpected end of stream"),
        ("", "c.yml:1:1: the file is empty"),
        ("# only a comment\n", "c.yml:1:1: the file is empty"),
        ("~\n", "c.yml:1:1: the file is empty"),
        ("- a\n", "c.yml:1:1: expected a mapping of sections, found another kind of value"),
        ("text\n", "c.yml:1:1: expected a mapping of sections, found another kind of value"),
        ("a: 1\n---\nb: 2\n", "c.yml:2:1: a second document begins here: one document a file"),
        ("a: *b\n", "c.yml:1:4: alias *b stands before or without its anchor"),
        ("a: &a [*a]\n", "c.yml:1:8: alias *a stands before or without its anchor"),
        ("? [a]\n: b\n", "c.yml:1:3: expected a text as key"),
        ("a: {<<: b}\n", "c.yml:1:9: a merge key (<<) takes a mapping or a list of mappings"),
        ("a: !x b\n", "c.yml:1:4: unknown tag !x"),
        (
            "a: !!python/object:os.system x\n",
            "c.yml:1:4: unknown tag tag:yaml.org,2002:python/object:os.system",
        ),
        ("a: !!set {b}\n", "c.yml:1:4: unknown tag tag:yaml.org,2002:set"),
        ("a: b\x00\n", "c.yml:1:5: a character that YAML does not allow: '\\x00'"),
        ("a:\n  b\udcff\n", "c.yml:2:4: a character that YAML does not allow: '\\udcff'"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text, expected):
    assert fault(text) == expected


def test_duplicate_keys_before_a_fault_of_syntax_are_told_too():
    assert len(read("a: 1\na: 2\nb: 'x\n").faults) == 2
    assert len(read("a: 1\na: 2\nb: *x\n").faults) == 2


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert plain("\ufeffa: b\n") == {"a": "b"}


@pytest.mark.parametrize("text", ["[" * 10_000_000, "[" * 100_000, "a: " + "{b: " * 10_000, "- " * 10_000])
def test_deep_nesting_is_refused_before_it_costs_anything(text):
    before = time.process_time()
    assert "nested deeper than 64 levels" in fault(text) or "longer than" in fault(text)
    assert time.process_time() - before < 5


def test_aliases_that_multiply_are_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "aliases counted as what they stand for" in fault("\n".join(lines))


def test_explicit_tags_of_yaml_itself_are_taken():
    assert plain('a: !!str 1\nb: !!int "2"\nc: !!map {d: !!seq [e]}\nf: ! g\n') == {
        "a": "1",
        "b": "2",
        "c": {"d": ["e"]},
        "f": "g",
    }
