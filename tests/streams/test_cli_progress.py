"""Progress is for people: on standard error, and only where that is a terminal."""

import os
import pty
import subprocess
import sys
from contextlib import suppress

import pytest

from schemas.wire import encode
from streams.demonstration.fleet import fleet


@pytest.fixture(name="command")
def _command(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(encode(event) + b"\n" for event in fleet(3, 1, 20.0).events()))
    return [sys.executable, "-m", "streams.cli", "replay", str(path), "--json"]


def read(terminal: int) -> str:
    seen = b""
    with suppress(OSError):  # the other end is closed
        while chunk := os.read(terminal, 65536):
            seen += chunk
    return seen.decode()


def test_a_person_at_a_terminal_sees_how_far_it_is_and_the_output_stays_clean(command):
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.close(theirs)
        seen = read(ours)
        out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0
    assert "replaying" in seen
    assert "replaying" not in out


def test_a_script_sees_nothing_but_the_records(command):
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert ran.stderr == ""
