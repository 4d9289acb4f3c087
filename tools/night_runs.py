"""Runs one part of the night: what it prints is kept, what it starts ends with it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tools.night_parts import ROOT, Part

GRACE = timedelta(seconds=10)
FRAME = " =│┃"
Heard = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """How a part ended: `passed`, `measured`, `failed`, or `stopped` by who watched it.

    `closing`: the last thing that it said. `figures`: where all that it printed is kept.
    """

    part: Part
    word: str
    took: timedelta
    closing: str
    figures: Path


def run(part: Part, folder: Path, heard: Heard) -> Outcome:
    """Runs one part to its end; each line that it prints is kept in `folder`, and passed to `heard`."""
    folder.mkdir(parents=True, exist_ok=True)
    figures, began = folder / f"{part.name}.txt", time.monotonic()
    with figures.open("w", encoding="utf-8") as kept:

        def keep(line: str) -> None:
            kept.write(f"{line}\n")
            kept.flush()
            heard(line)

        word = _ended(part, keep)
    took = timedelta(seconds=time.monotonic() - began)
    return Outcome(part, word, took, _closing(figures.read_text(encoding="utf-8")), figures)


def _closing(text: str) -> str:
    """The last line that says something, without the frame that it may stand in."""
    said = [line for line in text.splitlines() if any(map(str.isalnum, line))]
    return said[-1].strip(FRAME) if said else ""


def _ended(part: Part, keep: Heard) -> str:
    """Runs it; says how it ended."""
    try:
        process = _started(part)
    except OSError as error:
        keep(str(error))
        return "failed"
    late = threading.Event()
    limit = threading.Timer(part.within.total_seconds(), _give_up, (process, late))
    limit.start()
    try:
        for line in process.stdout or ():
            keep(line.rstrip("\n"))
        code = process.wait()
    except KeyboardInterrupt:
        _stop(process)
        return "stopped"
    finally:
        limit.cancel()
        if process.stdout:
            process.stdout.close()
    if late.is_set():
        keep(f"stopped: not over within {part.within}")
    return "failed" if code or late.is_set() else part.good


def _started(part: Part) -> subprocess.Popen[str]:
    """Its process, in a group of its own, so that all of it can be ended."""
    paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    night = {"PATH": paths, "HYPOTHESIS_PROFILE": "nightly", "COLUMNS": "150", "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        part.command,
        cwd=ROOT,
        env=os.environ | night,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )


def _give_up(process: subprocess.Popen[str], late: threading.Event) -> None:
    late.set()
    _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    """Ends a part and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE.total_seconds())
        os.killpg(process.pid, signal.SIGKILL)
