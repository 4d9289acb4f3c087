"""A provider goes down under several agents: one person gets one page."""

from pathlib import Path

import msgspec

from schemas.cause import ConfigFile
from schemas.page import Page
from schemas.signal import Signal
from schemas.wire import moment
from streams.files import Line
from streams.replay import replay

START_S = 1_767_657_600.0
CONFIG = ConfigFile("rules.yml", (Path(__file__).parents[2] / "examples/retail/oversight.yml").read_text())


def lines(agents, lost):
    """Three hours of calls; in the last ten minutes each call of the provider times out."""
    made = []
    for number in range(3 * 3600 // 5):
        at_s, agent = START_S + number * 5.0, agents[number % len(agents)]
        down = number * 5 >= 170 * 60
        common = {"agent": {"name": agent}, "conversation": {"id": f"c{number}"}}
        error = {"error": {"type": "timeout", "class": "retryable", "final": True}} if down else {}
        call = {**common, "operation": {"name": "chat"}, "provider": {"name": "openai"}, **error}
        ended = {"conversation": {"id": f"c{number}", "state": "ended"}}
        end = {**common, **ended, "operation": {"name": "invoke_agent"}, **(error if lost else {})}
        for kind, data in (("operation", call), ("session", end)):
            said = {
                "specversion": "1.0",
                "id": f"{kind}{number}",
                "source": "s",
                "type": f"agent.{kind}.v1",
                "time": moment(at_s),
                "data": data,
            }
            made.append(Line(msgspec.json.encode(said), "made.jsonl", len(made) + 1))
    return made


def told(agents, *, lost):
    words = [each for _, some in replay(lines(agents, lost), [CONFIG]) for each in some]
    return (
        [each for each in words if isinstance(each, Page) and each.reason == "opened"],
        {f"{each.detector}/{each.finding}" for each in words if isinstance(each, Signal)},
    )


def test_a_provider_that_is_down_under_three_agents_is_one_page_though_two_detectors_tell_of_each():
    pages, signals = told(["a", "b", "c"], lost=False)
    assert signals == {"dependency/failing", "error_rate/models"}
    (page,) = pages
    assert "provider openai fails" in page.summary


def test_a_provider_that_is_down_under_one_agent_is_one_page():
    pages, signals = told(["a"], lost=False)
    assert signals == {"dependency/failing", "error_rate/models"}
    assert len(pages) == 1


def test_where_sessions_are_lost_by_it_that_is_the_one_page_of_each_agent():
    pages, signals = told(["a", "b"], lost=True)
    assert signals == {"dependency/failing", "error_rate/models", "error_rate/sessions"}
    assert [page.content.labels["finding"] for page in pages] == ["sessions", "sessions"]
    assert {page.content.labels["agent"] for page in pages} == {"a", "b"}
