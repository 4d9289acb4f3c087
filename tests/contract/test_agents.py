"""What an agent publishes arrives on each broker as the pipeline reads it, and advice comes back."""

from agent_oversight import AgentEvents
from agent_oversight.following import Following
from agent_oversight.kafka import Kafka
from schemas.wire import decode_event
from tests.sdk.advice import Heard, advise
from tests.sdk.topics import read


async def test_a_session_of_an_agent_arrives_in_order(broker, make_topic):
    topic = await make_topic()
    events = AgentEvents("refund-agent", Kafka(broker.bootstrap, topic))
    with events.session("conv-1", tenant="acme"), events.tool("search"):
        pass
    assert events.close(30.0)
    assert events.lost == (0, 0)
    found = [decode_event(value) for _, value in await read(broker.bootstrap, topic, 0)]
    assert [event.data.operation.name for event in found] == ["invoke_agent", "execute_tool", "invoke_agent"]
    assert {event.data.tenant.id for event in found} == {"acme"}


async def test_what_is_advised_reaches_an_agent_while_it_runs(broker, make_topic):
    topic = await make_topic(partitions=2)
    table = Heard({"agent": "refund-agent"})
    await advise(broker.bootstrap, topic, ("open_circuit", "search"))
    with Following(table, broker.bootstrap, topic) as following:
        assert following.current(30.0)
        assert not table.may_call("search", 0)
        await advise(broker.bootstrap, topic, ("close_circuit", "search"))
        table.until(2)
        assert table.may_call("search", 0)
