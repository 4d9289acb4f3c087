"""Words, length and structure of any text are read in time that is linear in it."""

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.inputs.text_reading import MOST_WORDS, STRUCTURES, read, term


def structures(text):
    return [name for at, name in enumerate(STRUCTURES) if read(text).structure >> at & 1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Where is my order, please?", []),
        ("order 4412", ["digits"]),
        ("größe", ["characters beyond ASCII"]),
        ("see https://example.org", ["symbols, addresses or line breaks"]),
        ("one\ntwo", ["symbols, addresses or line breaks"]),
        ("THIS is", []),
        ("SHOUT", ["shouting"]),
        ("", []),
        (
            "REFUND €5 {now}",
            ["digits", "characters beyond ASCII", "symbols, addresses or line breaks", "shouting"],
        ),
    ],
)
def test_structure_is_told_apart(text, found):
    assert structures(text) == found


@given(st.text(max_size=300) | st.text(st.sampled_from("abAZ5:/_ .\n{`é\ud800"), max_size=60))
def test_words_and_structures_are_what_expressions_find(text):
    words = [each.encode("utf-8", "surrogatepass") for each in re.findall(r"\w+", text.lower())]
    signs = "[0-9]", r"[^\x00-\x7f]", r"://|[\n{}<>|\\$`]", "[A-Z]{5}"
    assert list(read(text).words) == words[:MOST_WORDS]
    assert structures(text) == [
        name for name, sign in zip(STRUCTURES, signs, strict=True) if re.search(sign, text)
    ]


def test_words_are_read_in_any_script_and_case():
    assert [each.decode() for each in read("Привет МИР, 你好!").words] == ["привет", "мир", "你好"]
    assert read("Hello WORLD").hashes == read("hello world").hashes


def test_one_endless_token_is_one_word():
    assert (len(read("a" * 4000).words), read("a" * 4000).length) == (1, 4000)
    assert len(read("a " * 2000).words) == MOST_WORDS


def test_no_text_takes_long_to_read():
    began = process_time()
    for text in ("a" * 4000, "A" * 4000, "Aa" * 2000, "a1" * 2000, "é" * 4000, ":/" * 2000, "a b" * 1333):
        read(text)
    assert process_time() - began < 0.05


def test_terms_are_words():
    words = (b"a", b"w5", b"x" * 30, b"plain", "größe".encode(), b"\xed\xa0\x80\xed\xa0\x80")
    assert [term(word) for word in words] == ["", "", "", "plain", "größe", ""]
