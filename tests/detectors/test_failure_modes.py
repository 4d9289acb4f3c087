"""The team's own table of failures: what it classes, and what it leaves as it is."""

import pytest

from detectors.agent import AgentState
from detectors.failure_modes import FailureModes
from detectors.settings import Settings
from schemas.failures import error_class
from tests.detectors.agent_events import START_S, event
from tests.detectors.made_up import Told

OWN = (
    ("rate_limit.*", "retryable"),
    ("rate_limit_final", "non_retryable"),
    ("guardrail.*|hand", "escalation"),
)


def classed(kind, **error):
    failed = event(START_S, error={"type": kind, **error})
    return FailureModes(OWN).classed(failed)


def test_the_first_expression_that_fits_the_whole_type_gives_the_class():
    assert error_class(classed("rate_limit_final").data.error) == "retryable"
    assert error_class(classed("guardrail.pii").data.error) == "escalation"
    assert classed("a_rate_limit").data.error.class_ is None
    assert classed("handed").data.error.class_ is None


def test_what_the_agent_says_itself_is_left_as_it_is():
    said = event(START_S, error={"type": "rate_limit", "class": "non_retryable"})
    well = event(START_S)
    modes = FailureModes(OWN)
    assert modes.classed(said) is said
    assert modes.classed(well) is well


def test_a_type_that_is_no_utf_8_is_looked_at_like_any_other():
    assert classed("rate_limit \ud800").data.error.class_ == "retryable"


def test_an_expression_that_is_none_is_refused_with_the_reason():
    with pytest.raises(ValueError, match=r"errors: bad regular expression"):
        FailureModes((("(", "retryable"),))


def test_without_a_table_nothing_is_looked_at():
    assert not FailureModes(())
    assert FailureModes(OWN)


class Listener(Told):
    """A detector that keeps the classes it is shown."""

    def observe(self, event, now):
        super().observe(event, now)
        self.classes = [*getattr(self, "classes", []), event.data.error.class_]


def test_detectors_are_shown_the_class_and_follow_a_table_that_changes():
    agent = AgentState("made-up", {"listener": Listener}, Settings(errors=OWN))
    list(agent.take([(event(START_S, error={"type": "rate_limit"}), START_S)]))
    agent.configure(Settings())
    list(agent.take([(event(START_S + 1, error={"type": "rate_limit"}), START_S + 1)]))
    assert agent.detectors["listener"].classes == ["retryable", None]
