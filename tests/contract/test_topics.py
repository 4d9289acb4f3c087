"""The pipeline's topics on a broker."""

from streams.hosting.topics import EVENTS, TOPICS, create, missing
from tests.contract.conftest import create as create_one


async def test_topics_are_missing_until_they_are_made_and_asking_makes_none(own_broker):
    connection = {"bootstrap_servers": own_broker.bootstrap}
    names = tuple(each.name for each in TOPICS)
    assert await missing(connection) == names
    assert await missing(connection) == names
    await create_one(own_broker.bootstrap, EVENTS, 1, {})
    assert await missing(connection) == tuple(name for name in names if name != EVENTS)
    made = await create(connection)
    assert (made.there, len(made.made)) == ((EVENTS,), len(names) - 1)
    assert await missing(connection) == ()
