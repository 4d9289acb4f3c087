"""What detectors follow of a configuration."""

import pytest

from detectors.bank import Bank
from detectors.rollout import Rollout
from detectors.settings import Settings, Watch
from routing.rules.faults import ConfigFaults
from schemas.cause import ConfigFile
from streams.hosting.rulebook import read_rules
from streams.hosting.settings import read_settings

ROUTE = "route: {receiver: r}\nreceivers: [{name: r, notify: [{terminal: screen}]}]\n"


def settings_of(text: str) -> Settings:
    return read_settings([ConfigFile("rules.yml", ROUTE + text)])


def test_without_a_configuration_the_defaults_hold():
    assert read_settings([]) == Settings()
    assert settings_of("").agents == (Watch(),)


def test_who_is_watched_and_how_is_followed():
    text = """
agents:
- {name: 'refund-*', consequence: high, slo: {sessions: 90%}}
detectors: {cost: {arl: 7d}}
redact: ['order [0-9]+']
prices: {mine: {input: 0.40, output: 1.60, cache_read: 0.1}}
"""
    followed = settings_of(text)
    watch = followed.watch("refund-eu")
    assert (watch.consequence, watch.slo) == ("high", {"sessions": 0.9})
    assert followed.watch("other") == Watch()
    assert followed.options("cost") == {"arl": "7d", "redact": ("order [0-9]+",)}
    assert followed.on("cost")
    assert followed.prices == {"mine": {"input": 0.4, "output": 1.6, "cache_read": 0.1}}


def test_validated_texts_are_followed_with_the_agents_that_they_are_for():
    rules = """
agents:
- {name: 'refund-*', reference: file inputs/refund.txt}
- {name: chat, reference: first 500}
"""
    texts = "".join(f"where is order {at}\n\n" for at in range(60))
    files = [
        ConfigFile("team/rules.yml", ROUTE + rules),
        ConfigFile("team/inputs/refund.txt", texts, "texts"),
    ]
    followed = read_settings(files)
    assert len(followed.watch("refund-eu").validated) == 60
    assert followed.watch("refund-eu").validated[1] == "where is order 1"
    assert followed.watch("refund-eu").reference == 2000
    assert (followed.watch("chat").validated, followed.watch("chat").reference) == ((), 500)


def test_everybody_redacts_what_is_redacted_and_their_own():
    followed = Settings(redact=("a",), detectors={"cost": {"redact": ("b",)}})
    assert followed.options("cost") == {"redact": ("a", "b")}
    assert followed.options("input_shift") == {"redact": ("a",)}
    assert Settings().options("cost") == {}


def test_faults_are_told_with_their_places():
    with pytest.raises(ValueError, match=r"rules.yml:3:1: .*; rules.yml:4:"):
        settings_of("agentz: 1\ndetectorz: 2\n")


def test_rollouts_are_followed_by_agent():
    text = """
rollouts:
- agent: 'refund-*'
  steps: [1%, 5%, 100%]
  min_time: 1h
  alpha: 0.02
  strata: [task.type]
  margins: {error: 2}
"""
    followed = settings_of(text).options("rollout", "refund-eu")
    assert followed["steps"] == ["1%", "5%", "100%"]
    made = Rollout(Watch(), followed)._plan
    assert (made.alpha, made.least_s, made.steps) == (0.02, 3600.0, (0.01, 0.05, 1.0))
    assert (made.strata, made.margins) == (("task.type",), {"sessions": 2.0})
    assert settings_of(text).options("rollout", "other") == {}


def test_a_rollout_may_say_what_the_router_draws_and_need_not_say_its_steps():
    text = "rollouts: [{agent: a, unit: user, alpha: ~, redact: ['order [0-9]+']}]"
    followed = settings_of(text).options("rollout", "a")
    assert followed == {"unit": "user", "redact": ["order [0-9]+"]}
    made = Rollout(Watch(), followed)._plan
    assert (made.unit, made.steps, made.alpha) == ("user", (), 0.01)


def test_a_rollout_that_no_detector_could_follow_is_refused_with_its_name():
    text = "rollouts: [{agent: a, steps: [5%], margins: {moon: 2}}]"
    bank = Bank(read_settings, "events")
    with pytest.raises(ValueError, match='rollouts: a: no metric "moon": expected one of'):
        bank.begin([ConfigFile("rules.yml", ROUTE + text)])
    Bank(read_settings, "events", kinds={}).begin([ConfigFile("rules.yml", ROUTE + text)])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "rollouts: [{agent: 'a*', steps: [5%], strata: [foo]}]",
            r"rollouts: a\*: no part of an event",
        ),
        (
            "rollouts: [{agent: '[ab]*', steps: [5%], margins: {tools: 1}}]",
            r"rollouts: \[ab\]\*: ",
        ),
        ("rollouts: [{agent: a, steps: [5%], maturity: 0s}]", "rollouts: a: maturity: '0s' is no span"),
        ("detectors: {rollout: {strata: [foo]}}", 'detectors: rollout: no part of an event "foo"'),
    ],
)
def test_what_no_detector_could_follow_is_refused_before_any_does(tmp_path, text, said):
    path = tmp_path / "rules.yml"
    path.write_text(ROUTE + text)
    with pytest.raises(ConfigFaults, match=rf"rules.yml:3:\d+: {said}"):
        read_rules(path, {})
    with pytest.raises(ValueError, match=said):
        Bank(read_settings, "events").begin([ConfigFile("rules.yml", ROUTE + text)])
