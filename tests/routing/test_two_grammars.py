"""UTF-8 matchers and the fallback rule, by tables: Debian's Alertmanager, which judges the rest, has neither.

After Alertmanager's documents and tests (matcher/parse, matcher/compat, matcher/compliance; version 0.27 on).
"""

import pytest

from routing.matchers import MatcherSyntax, parse_matchers, read_matchers
from routing.rules.classic_grammar import parse_classic
from routing.rules.utf8_grammar import parse_utf8

SMILE = "\N{SLIGHTLY SMILING FACE}"


def triples(text):
    return [(each.name, each.op, each.value) for each in parse_matchers(text)]


def is_read(grammar, text):
    try:
        grammar(text)
    except ValueError:
        return False
    return True


ONE = [("n", "=", "v")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("{}", []),
        ("n=v", ONE),
        ("n=v,", ONE),
        ("{n=v}", ONE),
        ("{n=v,}", ONE),
        ('"n"="v"', ONE),
        ('"n"="v",', ONE),
        ('{"n"="v"}', ONE),
        ('{"n"="v",}', ONE),
        ('{ "n" = "v" , }', ONE),
        ("{n!=v}", [("n", "!=", "v")]),
        ("{n=~[a-z]+}", [("n", "=~", "[a-z]+")]),
        ('"n"!~"[a-z]+"', [("n", "!~", "[a-z]+")]),
        ("{n=v,m!=w}", [("n", "=", "v"), ("m", "!=", "w")]),
        ('n="v",m!="w"', [("n", "=", "v"), ("m", "!=", "w")]),
        (f"{{n={SMILE}x}}", [("n", "=", f"{SMILE}x")]),
        (f"{{n{SMILE}=v,m=w{SMILE}}}", [(f"n{SMILE}", "=", "v"), ("m", "=", f"w{SMILE}")]),
        (r'{"n"="\xf0\x9f\x99\x82"}', [("n", "=", SMILE)]),
        (r'{"n"="\U0001f642"}', [("n", "=", SMILE)]),
        (r'{"n"="v\n\t"}', [("n", "=", "v\n\t")]),
        (r'{"n"="\"v\"\\"}', [("n", "=", '"v"\\')]),
        ('"has space"="a,b}"', [("has space", "=", "a,b}")]),
        ('"0n.m"="v"', [("0n.m", "=", "v")]),
    ],
)  # fmt: skip
def test_texts_of_the_newer_grammar(text, expected):
    assert triples(text) == expected
    assert is_read(parse_utf8, text)


@pytest.mark.parametrize(
    "text",
    [",", "{,}", "{", "}", "n=v}", "{n=v", '{n=:"v"}', r'{n="v\w"}', r"{n=v\n}", r'{"n"="\xf0\x9f"}', "n!v",
     "n=", "n=v w", "n='v'", "n=v=w", "n=`v`", '"n"', '"n"="v" "m"="w"'],
)  # fmt: skip
def test_texts_that_the_newer_grammar_refuses(text):
    assert not is_read(parse_utf8, text)


@pytest.mark.parametrize(
    ("text", "expected", "warning"),
    [
        # Both read it and agree: nothing is said.
        ("n=v", ONE, ""),
        ('{n="v"}', ONE, ""),
        # Only the newer one reads it.
        (f"n{SMILE}=v", [(f"n{SMILE}", "=", "v")], ""),
        ('"n"="v"', ONE, ""),
        # Only the classic one reads it: it holds, with a warning.
        (r"n=!v\n", [("n", "=", "!v\n")], "classic grammar only"),
        (r"{n=!v,m=$w\n}", [("n", "=", "!v"), ("m", "=", "$w\n")], "classic grammar only"),
        ("n=", [("n", "=", "")], "classic grammar only"),
        ("n=v w", [("n", "=", "v w")], "classic grammar only"),
        ("{n=v", ONE, "classic grammar only"),
        ("n=v}", ONE, "classic grammar only"),
        # Both read it and differ: the classic one holds, with a warning.
        (r'n="\xf0\x9f\x99\x82"', [("n", "=", r"\xf0\x9f\x99\x82")], "different things"),
        (r'{n="\u00e9"}', [("n", "=", r"\u00e9")], "different things"),
        (r'n="a\tb"', [("n", "=", r"a\tb")], "different things"),
    ],
)
def test_the_fallback_rule(text, expected, warning):
    assert triples(text) == expected
    said = read_matchers(text).warning
    assert warning in said
    assert bool(said) is bool(warning)


@pytest.mark.parametrize("text", ["n!v", "{n!v}", ",", '"n"', "=v", 'n="v"w"'])
def test_what_neither_reads_is_refused(text):
    assert not is_read(parse_utf8, text)
    assert not is_read(parse_classic, text)
    with pytest.raises(MatcherSyntax):
        parse_matchers(text)
