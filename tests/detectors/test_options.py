"""Options of detectors as a configuration writes them, and where those are told that do not hold."""

import pytest

from detectors.following import Misfit, misfits, strangers
from detectors.options import Unknown, number, positive, texts, truth
from detectors.rollout import Rollout
from detectors.settings import Settings
from tests.detectors.made_up import KINDS


@pytest.mark.parametrize(("given", "meant"), [("true", True), ("False", False), (True, True), (False, False)])
def test_truth_is_written_or_given(given, meant):
    assert truth({"x": given}, "x") is meant
    assert truth({}, "x") is False


@pytest.mark.parametrize("given", ["yes", "", 1, None])
def test_what_is_neither_true_nor_false_is_refused(given):
    with pytest.raises(ValueError, match="expected true or false, found"):
        truth({"x": given}, "x")


def test_a_list_of_texts_is_a_list():
    assert (texts({"x": ["a", 7]}, "x"), texts({}, "x")) == (("a", "7"), ())
    with pytest.raises(ValueError, match="expected a list, found 'a'"):
        texts({"x": "a"}, "x")


@pytest.mark.parametrize("given", ["-1", "inf", "nan", "much", None, []])
def test_what_is_no_amount_is_refused(given):
    with pytest.raises(ValueError, match="expected a number from 0 on, found"):
        number(given)


def test_an_amount_may_be_nothing_where_that_means_something():
    assert (number("0"), number("1e3"), positive("0.5")) == (0.0, 1000.0, 0.5)
    with pytest.raises(ValueError, match="expected a number above 0, found '0'"):
        positive("0")


def test_a_word_that_is_none_of_those_there_are_is_told_with_them():
    assert str(Unknown("floor", "stps", ("steps", "time"))) == 'no floor "stps": expected one of steps, time'
    assert str(Unknown("option", "arl", ("enabled",))) == 'no option "arl": expected enabled'


def test_options_that_no_detector_has_are_told_where_they_stand():
    known = ("enabled", "label", "redact", "stubborn", "unfit")
    found = list(
        strangers(Settings(detectors={"told": {"lable": "x", "enabled": "true"}, "else": {"a": 1}}), KINDS)
    )
    reason = 'no option "lable": expected one of enabled, label, redact, stubborn, unfit'
    assert found == [Misfit(("detectors", "told", "lable"), "detectors: told", reason, "lable", known)]


def test_what_a_detector_cannot_follow_is_told_by_the_option_that_does_not_hold():
    settings = Settings(detectors={"told": {"label": "x", "unfit": "*"}})
    found = Misfit(("detectors", "told", "unfit"), "detectors: told: unfit", "this does not fit")
    assert {*misfits(settings, KINDS)} == {found}


def test_a_rollout_s_own_options_are_told_at_its_entry():
    settings = Settings(
        detectors={"rollout": {"alpha": 0.05}}, rollouts=(("a*", {"maturity": "1s", "alpha": 2}),)
    )
    reason = "alpha must be in (0, 1), found 2.0"
    (found,) = misfits(settings, {"rollout": Rollout})
    assert found == Misfit(("rollouts", 0, "alpha"), "rollouts: a*: alpha", reason)


class Torn(KINDS["told"]):
    """One that cannot follow two options beside each other."""

    def configure(self, watch, options):
        del watch
        if len(options) > 1:
            raise TypeError("too many")


def test_what_does_not_hold_together_is_told_of_the_whole():
    both = {"told": {"label": ["x"], "redact": {"a": "b"}}}
    found = Misfit(("detectors", "told"), "detectors: told", "TypeError: too many")
    assert {*misfits(Settings(detectors=both), {"told": Torn})} == {found}
