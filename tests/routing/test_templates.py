import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.content import variables
from routing.words.templates import LONGEST, TemplateFault, fill, parse
from tests.fakes import page

KNOWN = variables(page())


def test_a_template_of_a_team_is_filled():
    text = """\
{{ n }} {{ labels.detector }} on {{ labels.agent }} ({{ severity }}, score {{ score }}: {{ score_why }})
{{ summary }}  trace {{ links.trace }}"""
    assert fill(text, KNOWN) == (
        "1 error_rate on retail (critical, score 100: score 100 of 100: burn rate 14.4 over 1h and 5m +90, "
        'env="prod" +15)\nAll 35 sessions of retail end in an error: customers get no answer  '
        "trace https://traces.example/t/4bf92f"
    )


def test_a_label_that_is_not_there_is_empty():
    assert fill("[{{ labels.session }}]", KNOWN) == "[]"


def test_words_of_others_are_not_templates():
    assert fill("{{ summary }}", {"summary": "{{ 7 * 7 }}"}) == "{{ 7 * 7 }}"


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ labels.update({'a': 1}) }}",
        "{{ self.__init__.__globals__ }}",
        "{{ (labels | attr('__class__')).x }}",
        "{% include '/etc/passwd' %}",
        "{% for i in range(10 ** 7) %}{% endfor %}",
        "{{ nobody.knows.this }}",
        "{{ 1 / 0 }}",
        "{{ labels + 1 }}",
        "{{ '%d' % 'x' }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    ],
)
def test_what_a_template_must_not_or_cannot_do_is_a_fault(text):
    with pytest.raises(TemplateFault) as fault:
        assert not fill(text, KNOWN)
    assert fault.value.reason


def test_a_template_cannot_say_more_than_fits():
    assert fill("{{ 'x' * 3000 }}", {}) == "x" * LONGEST
    with pytest.raises(TemplateFault, match="longer than 3,000"):
        fill("{% for i in range(3001) %}x{% endfor %}", {})


def test_a_syntax_fault_points_at_its_line():
    with pytest.raises(TemplateFault, match="line 2: ") as fault:
        parse("fine\n{{ broken")
    assert fault.value.line == 2


def test_a_template_that_is_nested_too_deeply_is_a_fault():
    for read in (parse, lambda text: fill(text, KNOWN)):
        with pytest.raises(TemplateFault, match="nested too deeply"):
            read("{{ " + "[" * 500 + " }}")


@given(st.text(alphabet="{}%# xn|.()'[]*+", max_size=60))
def test_any_text_is_filled_or_a_fault(text):
    try:
        assert len(fill(text, KNOWN)) <= LONGEST
    except TemplateFault as fault:
        assert str(fault)  # noqa: PT017 - either way is fine, nothing else is
