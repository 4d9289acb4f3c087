"""The pipeline's topics on a broker, and reading whole ones."""

import pytest
from aiokafka import TopicPartition

from schemas.wire import encode
from streams.hosting.kafka import KafkaLog
from streams.hosting.log import Outgoing
from streams.hosting.looking import NoTopic, looking
from streams.hosting.standing import deviations, look
from streams.hosting.topics import EVENTS, INCIDENTS, TOPICS, create, missing
from streams.ingress.board import read_board
from tests.contract.conftest import create as create_one
from tests.routing.scenario import Scenario


async def test_topics_are_missing_until_they_are_made_and_asking_makes_none(own_broker):
    connection = {"bootstrap_servers": own_broker.bootstrap}
    names = tuple(each.name for each in TOPICS)
    assert await missing(connection) == names
    assert await missing(connection) == names
    await create_one(own_broker.bootstrap, EVENTS, 4, {})
    assert await missing(connection) == tuple(name for name in names if name != EVENTS)
    made = await create(connection)
    assert (made.there, len(made.made)) == ((EVENTS,), len(names) - 1)
    assert await missing(connection) == ()
    assert deviations(await look(connection)) == []


async def test_topics_are_read_whole_by_whoever_names_none_before(own_broker):
    connection = {"bootstrap_servers": own_broker.bootstrap}
    with pytest.raises(NoTopic, match=f"^there is no topic {INCIDENTS}: `oversight topics` makes"):
        await read_board(connection)
    await create(connection, work=2)
    scenario = Scenario()
    scenario.signal("s1")
    async with KafkaLog(connection) as log:
        await log.append(INCIDENTS, 1, [Outgoing(b"i", encode(scenario.incident))])
    assert [each.id for each in (await read_board(connection)).open()] == [scenario.incident.id]
    async with looking(connection, [INCIDENTS, EVENTS]) as (_, places):
        assert places == [TopicPartition(INCIDENTS, n) for n in range(2)] + [
            TopicPartition(EVENTS, n) for n in range(4)
        ]
