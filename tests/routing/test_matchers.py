import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.matchers import Matcher, MatcherSyntax, parse_matchers, read_matchers

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)


def triples(text):
    return [(each.name, each.op, each.value) for each in parse_matchers(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('severity=~"critical|error"', [("severity", "=~", "critical|error")]),
        ('{a="b",c=~"d",}', [("a", "=", "b"), ("c", "=~", "d")]),
        ("a!=b, c!~d", [("a", "!=", "b"), ("c", "!~", "d")]),
        ('  a = "b c"  ', [("a", "=", "b c")]),
        ("{}", []),
        ("", []),
        ('a="x,y"', [("a", "=", "x,y")]),
        (r'a="quote \" slash \\ line \n"', [("a", "=", 'quote " slash \\ line \n')]),
        ("a:b=c", [("a:b", "=", "c")]),
    ],
)
def test_both_grammars_read_the_usual_without_a_doubt(text, expected):
    assert triples(text) == expected
    assert read_matchers(text).warning == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"ü b"="c"', [("ü b", "=", "c")]),
        ('{"a.b"=~"c"}', [("a.b", "=~", "c")]),
        (r'"a"="\u00e9\x41\101\U0001F600\t"', [("a", "=", "éAA😀\t")]),
        ("größe=1", [("größe", "=", "1")]),
    ],
)
def test_the_newer_grammar_reads_what_the_classic_one_cannot(text, expected):
    assert triples(text) == expected
    assert read_matchers(text).warning == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("foo=", [("foo", "=", "")]),
        ("foo=bar baz", [("foo", "=", "bar baz")]),
        ('{a="b"', [("a", "=", "b")]),
        (r'a=~"\d+"', [("a", "=~", r"\d+")]),
        (r"a=b\\", [("a", "=", "b\\")]),
        ("a=b\\", [("a", "=", "b\\")]),
        ("a='b'", [("a", "=", "'b'")]),
        ('a="x\ny"', [("a", "=", "x\ny")]),
        ("{a=b}}", [("a", "=", "b}")]),
        (r'a="\xff"', [("a", "=", r"\xff")]),
        (r'a="\UFFFFFFFF"', [("a", "=", r"\UFFFFFFFF")]),
        (r'a="\ud800"', [("a", "=", r"\ud800")]),
    ],
)
def test_what_only_the_classic_grammar_reads_is_doubtful(text, expected):
    assert triples(text) == expected
    assert "classic grammar only" in read_matchers(text).warning


def test_where_the_grammars_differ_the_classic_one_holds():
    found = read_matchers(r'a="\a"')
    assert [each.value for each in found.matchers] == [r"\a"]
    assert "different things" in found.warning


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a", "expected one of = != =~ !~, found 'the end'"),
        ("=b", "expected a label name, found '='"),
        (",", "expected a label name"),
        ("a=b,,c=d", "expected a label name, found ','"),
        ('a="x"y"', "unexpected"),
        ('a="b" c="d"', "expected a comma or the end"),
        ('{"a"="b"', "expected a comma or a closing brace"),
        ('"a"="b"}', "expected a comma or the end, found '}'"),
        ('"a"=', "expected a label value"),
        ('a="', "unexpected"),
        ('a="b', "unexpected"),
        (r'a="b\"', "unexpected"),
        ('a=b"', "unexpected"),
        ('a=~"("', "bad regular expression '(': missing ): ("),
        ('a!~"["', "bad regular expression '['"),
        ('a=~"(?=x)"', "bad regular expression"),
        ('a=~"x{2000}"', "repetition"),
    ],
)
def test_what_neither_grammar_reads_is_refused_with_the_reason(text, reason):
    with pytest.raises(MatcherSyntax) as caught:
        parse_matchers(text)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("matcher", "labels", "expected"),
    [
        (Matcher("a", "=", "b"), {"a": "b"}, True),
        (Matcher("a", "=", ""), {}, True),
        (Matcher("a", "!=", "b"), {}, True),
        (Matcher("a", "!=", ""), {}, False),
        (Matcher("a", "=~", "b|c"), {"a": "c"}, True),
        (Matcher("a", "=~", "b"), {"a": "bb"}, False),
        (Matcher("a", "=~", ".*"), {}, True),
        (Matcher("a", "=~", ".+"), {}, False),
        (Matcher("a", "!~", "b.*"), {"a": "bcd"}, False),
        (Matcher("a", "!~", "b"), {}, True),
        (Matcher("a", "=~", "b"), {"a": "b\n"}, False),
        (Matcher("a", "=~", r"\d"), {"a": "٣"}, False),
        (Matcher("a", "=~", "x(?i)y"), {"a": "xY"}, True),
        (Matcher("a", "=~", "."), {"a": "é"}, True),
        (Matcher("a", "=~", "\N{REPLACEMENT CHARACTER}|[?]"), {"a": "\udcff"}, True),
    ],
)
def test_matching_is_anchored_re2_and_an_absent_label_is_empty(matcher, labels, expected):
    assert matcher.matches(labels) is expected


def test_an_expression_that_is_not_utf8_or_closes_the_anchors_is_refused():
    with pytest.raises(MatcherSyntax, match="not UTF-8"):
        Matcher("a", "=~", "\ud800")
    with pytest.raises(MatcherSyntax, match="unexpected"):
        Matcher("a", "=~", "a)")


@given(WORDS.filter(bool), st.sampled_from(["=", "!="]), WORDS)
def test_what_is_written_reads_back_the_same(name, op, value):
    matcher = Matcher(name, op, value)
    assert parse_matchers(str(matcher)) == (matcher,)


@given(WORDS)
def test_every_text_is_either_matchers_or_refused_with_a_reason(text):
    try:
        found = parse_matchers(text)
    except MatcherSyntax as error:
        reason = str(error)
    else:
        reason = "".join(each.op for each in found) or "none"
    assert reason
