"""What tests of integrations share: a model on loopback, and an agent whose events are kept."""

import pytest

from agent_oversight import AgentEvents
from tests.sdk.arrivals import Arrived
from tests.sdk.models import answering


@pytest.fixture(name="model")
def _model():
    """A model that answers as it is told."""
    with answering() as model:
        yield model


@pytest.fixture(name="arrived")
def _arrived():
    """Where the events of `events` arrive."""
    return Arrived()


@pytest.fixture(name="events")
def _events(arrived):
    """An agent."""
    events = AgentEvents("refund-agent", arrived)
    yield events
    assert events.close(10.0)
