"""The team's own prices: what is priced, by which tokens, and what stays unknown."""

import pytest

from detectors.agent import AgentState
from detectors.cost import Cost
from detectors.prices import Prices
from detectors.settings import Settings
from tests.detectors.agent_events import START_S, event

OWN = {
    "mine": {"input": 2.0, "output": 10.0},
    "cached": {"input": 2.0, "output": 10.0, "cache_read": 0.5, "cache_write": 4.0},
}


def cost(**data):
    return Prices(OWN).priced(event(START_S, **data)).data.usage.cost_amount


def tokens(**usage):
    return {"usage": {"input_tokens": 1_000_000, "output_tokens": 100_000, **usage}}


def test_tokens_of_a_model_with_a_price_have_a_cost():
    priced = Prices(OWN).priced(event(START_S, request={"model": "mine"}, **tokens())).data.usage
    assert priced.cost_amount == pytest.approx(3.0)
    assert (priced.cost_currency, priced.cost_source, priced.cost_component) == ("USD", "local", "model")


def test_tokens_of_the_cache_are_part_of_the_input_and_have_prices_of_their_own():
    kept = tokens(cache_read_input_tokens=400_000, cache_write_input_tokens=100_000)
    assert cost(request={"model": "cached"}, **kept) == pytest.approx(1.0 + 0.2 + 0.4 + 1.0)
    assert cost(request={"model": "mine"}, **kept) == pytest.approx(3.0)
    more = {"usage": {"input_tokens": 10, "cache_read_input_tokens": 1_000_000}}
    assert cost(request={"model": "cached"}, **more) == pytest.approx(0.5)


def test_the_model_that_answered_counts_before_the_one_that_was_asked():
    assert cost(request={"model": "cached"}, response={"model": "mine"}, **tokens()) == pytest.approx(3.0)
    assert cost(request={"model": "mine"}, response={"model": "mine-2026-05"}, **tokens()) == pytest.approx(
        3.0
    )


def test_what_has_no_price_stays_unknown_and_is_never_nothing():
    assert cost(request={"model": "another"}, **tokens()) is None
    assert cost(**tokens()) is None
    assert cost(request={"model": "mine"}, usage={"cache_read_input_tokens": 5}) is None
    assert cost(request={}, response={}, **tokens()) is None


def test_what_its_agent_says_is_left_as_it_is():
    said = event(START_S, request={"model": "mine"}, **tokens(cost_amount=7.0, cost_currency="EUR"))
    bare = event(START_S, request={"model": "mine"})
    assert Prices(OWN).priced(said) is said
    assert Prices(OWN).priced(bare) is bare


def test_without_prices_nothing_is_looked_at():
    assert not Prices({})
    assert Prices(OWN)


def test_a_price_without_a_direction_is_refused():
    with pytest.raises(ValueError, match="output"):
        Prices({"mine": {"input": 2.0}})


def test_detectors_see_the_cost_and_follow_other_prices():
    state = AgentState("made-up", {"cost": Cost}, Settings(prices=OWN))
    list(state.take([(event(START_S, request={"model": "mine"}, **tokens()), START_S)]))
    series = state.detectors["cost"]._series
    assert series["mine"].minute.cost == pytest.approx(3.0)
    state.configure(Settings())
    list(state.take([(event(START_S + 1, request={"model": "mine"}, **tokens()), START_S + 1)]))
    assert series["mine"].minute.count == 1
