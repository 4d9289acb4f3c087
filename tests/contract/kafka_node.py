"""One real Apache Kafka 4 node on loopback, broker and controller in one JVM, without Docker.

Its jars (43 MB) come from Maven Central once and stay in the user's cache, as do its classes as Java has read
them (50 MB): with these a node starts in half the time. Needs Java 17 or newer, and Maven.
"""

import base64
import fcntl
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent / "kafka"
OLDEST_JAVA = 17
HEAP = "512m"
READY = "Kafka Server started"
READY_WITHIN = timedelta(seconds=60)
STOPPED_WITHIN = timedelta(seconds=30)
POLL = timedelta(milliseconds=50)


class NotHere(Exception):  # noqa: N818 - says what is missing
    """A broker cannot be had here; the message says why, and what would bring it."""


@cache
def jars() -> Path:
    """The folder of the jars, filled on the first call; a half-finished download is never used.

    Raises:
        NotHere: no Java, no Maven, or no way to the jars.
    """
    java = _java_that_is_there()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agent-oversight" / "kafka"
    cache.parent.mkdir(parents=True, exist_ok=True)
    with cache.with_name("kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # whoever comes second finds what the first one made
        _filled(cache, (HERE / "pom.xml").read_text())
        _archive(cache, cache / f"{hashlib.sha256(java.encode()).hexdigest()[:16]}.jsa")
    return cache


def _filled(cache: Path, wanted: str) -> None:
    done = cache / "done"
    if not (done.exists() and done.read_text() == wanted):
        fresh = cache.with_name(f"kafka.{os.getpid()}")
        _download(fresh)
        (fresh / "done").write_text(wanted)
        shutil.rmtree(cache, ignore_errors=True)
        fresh.rename(cache)


def _java_that_is_there() -> str:
    """What it says of itself."""
    if not shutil.which("java"):
        raise NotHere(f"no `java` on the path (Java {OLDEST_JAVA} or newer)")
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise NotHere(f"`java` is older than {OLDEST_JAVA}: {said.partition(chr(10))[0]}")
    return said


def _download(folder: Path) -> None:
    if not shutil.which("mvn"):
        raise NotHere("no `mvn` on the path (Maven fetches the jars of Apache Kafka)")
    copy = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    fetched = subprocess.run(
        ["mvn", "-q", "-B", "-f", HERE / "pom.xml", *copy], capture_output=True, text=True, check=False
    )
    if fetched.returncode:
        raise NotHere(f"Maven could not fetch the jars of Apache Kafka: {fetched.stdout.strip()[:400]}")


def _archive(classes: Path, archive: Path) -> None:
    """Keeps the classes that a node loads as this Java has read them, unless that is done.

    A Java that cannot use them reads the jars again, and says nothing.
    """
    if archive.exists():
        return
    for older in classes.glob("*.jsa"):
        older.unlink()
    fresh = archive.with_suffix(f".{os.getpid()}")
    with TemporaryDirectory() as folder:
        node = KafkaNode(Path(folder), classes, options=[f"-XX:ArchiveClassesAtExit={fresh}"])
        node.start()
        if node.stop() and fresh.exists():
            fresh.rename(archive)
        fresh.unlink(missing_ok=True)


class KafkaNode:
    """A node whose settings and data lie in `home`; its ports stay the same over restarts."""

    def __init__(
        self, home: Path, classes: Path, users: Sequence[str] = (), options: Sequence[str] = ()
    ) -> None:
        """`users`: SCRAM credentials, as the storage tool takes them. `options`: of Java."""
        self._home = home
        self._classes = classes
        self._users = tuple(users)
        self._options = tuple(options)
        self._log = home / "kafka.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._port, controller = _free_ports()
        self.bootstrap = f"127.0.0.1:{self._port}"
        home.mkdir(parents=True, exist_ok=True)
        _configure(home, self._port, controller)

    def start(self) -> None:
        """Formats the storage if it is new, starts the node and waits until it is ready: 3 s.

        Raises:
            NotHere: it did not start; the message holds the end of its log.
        """
        if not (self._home / "data").exists():
            for name, held in _formatted(self._classes, self._users).items():
                (self._home / name).parent.mkdir(parents=True, exist_ok=True)
                (self._home / name).write_bytes(held)
        self._log.write_text("")
        with (self._home / "stdout.log").open("ab") as out:
            self._process = subprocess.Popen(
                _java(
                    self._home,
                    self._classes,
                    *self._options,
                    "kafka.Kafka",
                    f"{self._home}/server.properties",
                ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_WITHIN.total_seconds()
        while READY not in self._log.read_text():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise NotHere(f"Apache Kafka did not start: {self._last_words()}")
            time.sleep(POLL.total_seconds())

    def stop(self) -> bool:
        """Asks it to end (2 s), and insists after half a minute. Says whether it ended by itself."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL; `start` recovers it with its data."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> bool:
        process, self._process = self._process, None
        if process is None:
            return False
        process.send_signal(how)
        try:
            process.wait(STOPPED_WITHIN.total_seconds())
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
        return True

    def _last_words(self) -> str:
        said = self._log.read_text() + (self._home / "stdout.log").read_text()
        return " / ".join(said.strip().splitlines()[-3:])


@cache
def _formatted(classes: Path, users: Sequence[str]) -> Mapping[Path, bytes]:
    """The files of storage that was just formatted: it takes a JVM, and all nodes may begin with the same."""
    cluster = "-"
    while cluster.startswith("-"):  # the tool would take it for an option
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    with TemporaryDirectory() as folder:
        home = Path(folder)
        _configure(home, *_free_ports())
        settings = str(home / "server.properties")
        format_ = ["format", "--cluster-id", cluster, "--config", settings]
        format_ += [word for user in users for word in ("--add-scram", user)]
        subprocess.run(
            _java(home, classes, "kafka.tools.StorageTool", *format_),
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        written = [each for each in (home / "data").rglob("*") if each.is_file()]
        return {each.relative_to(home): each.read_bytes() for each in written}


def _configure(home: Path, port: int, controller: int) -> None:
    for name in ("server.properties", "log4j2.properties"):
        text = (HERE / name).read_text().replace("@home@", str(home))
        text = text.replace("@port@", str(port)).replace("@controller@", str(controller))
        (home / name).write_text(text)


def _java(home: Path, classes: Path, *command: str) -> Sequence[str]:
    logging = f"-Dlog4j2.configurationFile={home / 'log4j2.properties'}"
    # A node lives for seconds: a compiler and a collector that pay off in hours only cost.
    heap = [f"-Xms{HEAP}", f"-Xmx{HEAP}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    heap += [f"-XX:SharedArchiveFile={each}" for each in classes.glob("*.jsa")]
    return ["java", *heap, "-Djava.awt.headless=true", logging, "-cp", f"{classes}/*", *command]


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
