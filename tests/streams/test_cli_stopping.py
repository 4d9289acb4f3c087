"""A worker, or a bridge, that is told to stop while it waits for its brokers."""

import os
import signal
import subprocess
import sys

import pytest

WITHIN_S = 60


@pytest.mark.parametrize("name", ["worker", "bridge"])
@pytest.mark.parametrize("aside", [signal.SIG_DFL, signal.SIG_IGN], ids=["in front", "in the background"])
def test_who_waits_for_brokers_ends_in_good_order_when_it_is_told_to(tmp_path, name, aside):
    rules = tmp_path / "oversight.yml"
    rules.write_text("route: {receiver: r}\nreceivers: [{name: r}]\n")
    command = (sys.executable, "-m", "streams.cli", name)
    told = {"OVERSIGHT_KAFKA": "127.0.0.1:1", "OVERSIGHT_CONFIG": str(rules), "OVERSIGHT_LISTEN": "0"}
    before = signal.signal(signal.SIGINT, aside)  # the child has it from us
    try:
        worker = subprocess.Popen(command, env=os.environ | told, stderr=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, before)
    with worker:
        assert worker.stderr is not None
        assert f"{name}.waiting".encode() in worker.stderr.readline()
        worker.send_signal(signal.SIGTERM)
        _, rest = worker.communicate(timeout=WITHIN_S)
    assert worker.returncode == 0
    assert b"Traceback" not in rest
