import pytest

from schemas.outcome import Deferred, Delivered, Undeliverable
from streams.delivering.secrets import Told, Unset, environment
from tests.fakes import NOW


def test_a_reference_is_looked_up_each_time():
    variables = {"KEY": "one"}
    secrets = environment(variables)
    assert secrets("env:KEY") == "one"
    variables["KEY"] = "two"
    assert secrets("env:KEY") == "two"
    assert secrets("#triage") == "#triage"


@pytest.mark.parametrize("variables", [{}, {"KEY": ""}])
def test_a_variable_that_is_not_set_or_empty_is_named(variables):
    with pytest.raises(Unset) as unset:
        environment(variables)("env:KEY")
    assert unset.value.args == ("KEY",)


def test_any_resolver_that_finds_nothing_names_the_variable():
    with pytest.raises(Unset) as unset:
        Told({}.__getitem__)("env:KEY")
    assert unset.value.args == ("KEY",)


def test_what_was_told_is_blotted_out_of_reasons():
    told = Told(environment({"A": "abcd", "B": "abcdef", "SHORT": "x"}))
    assert [told("env:A"), told("env:B"), told("env:SHORT"), told("plain")] == [
        "abcd",
        "abcdef",
        "x",
        "plain",
    ]
    assert told.hidden(Undeliverable(reason="x abcdef plain")) == Undeliverable(reason="x [hidden] plain")
    deferred = Deferred(reason="abcd", retry_at=NOW)
    assert told.hidden(deferred) == Deferred(reason="[hidden]", retry_at=NOW)
    assert told.hidden(Delivered(reference="abcd:1")) == Delivered(reference="abcd:1")


def test_it_does_not_show_what_it_knows():
    told = Told(environment({"A": "abcd"}))
    told("env:A")
    assert "abcd" not in repr(told)
