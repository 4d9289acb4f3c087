"""Detectors that do as they are told, and records to show to the bank."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Self

import msgspec

from detectors.bank import Bank
from detectors.detector import Finding, State, Unworded
from detectors.settings import Settings, Watch
from schemas.cause import ConfigFile, Signalled, Wake
from schemas.control import Control, Rebase, Tick
from schemas.control import Settings as Resettle
from schemas.event import EVENT_TYPES, Event
from schemas.record import Output, Record
from schemas.signal import Signal
from schemas.wire import encode, moment
from tests.detectors.agent_events import START_S


class Told:
    """Does what events' `attributes` say: `find`, how many findings hold; `fail`, `mute`: raises."""

    name: ClassVar[str] = "told"
    version: ClassVar[int] = 1
    warm_up: ClassVar[str] = "none"
    quiet_arl_days: ClassVar[float] = 30.0
    watches: ClassVar[frozenset[str]] = frozenset(EVENT_TYPES)
    takes: ClassVar[frozenset[str]] = frozenset({"unfit", "stubborn", "label", "redact"})

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:
        self.wake_at: float | None = None
        self.state = [0, 0.0, 0, 0]
        self.configure(watch, options)

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:
        if options.get("unfit") == watch.agent:
            raise ValueError("this does not fit")
        if options.get("stubborn") and self.state[3]:
            raise TypeError("never again")
        self.label = options.get("label", "")
        self.redact = options.get("redact", ())

    def observe(self, event: Event, now: float) -> None:
        said = event.data.attributes or {}
        self.state[3] += 1
        if "find" in said:
            self.state[:2] = [int(said["find"]), now]
        self.state[2] = int(said.get("mute", 0))
        if "wake" in said:
            self.wake_at = float(said["wake"])
        if said.get("fail"):
            raise ValueError("as it was told\ud800")

    def findings(self, now: float) -> Sequence[Finding]:
        if self.wake_at is not None and now >= self.wake_at:
            self.wake_at = None
        count, onset, mute, seen = self.state
        if mute:
            raise ValueError("no word")
        return [
            Finding(
                finding="odd",
                onset=onset,
                labels={"n": str(n), "env": "mine"},
                summary=f"{seen} seen {self.label}{''.join(self.redact)}",
                observed=1.0,
            )
            for n in range(int(count))
        ]

    def rebase(self, now: float) -> None:
        if self.state[0] > 2:
            raise ValueError(f"not at {now}")
        self.state[0] = 0

    def save(self) -> State:
        return State(
            msgspec.msgpack.encode((self.state, self.wake_at)), {"seen": str(self.state[3]).encode()}
        )

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        if version != cls.version:
            raise ValueError(f"version {version}")
        made = cls(watch, options)
        made.state, made.wake_at = msgspec.msgpack.decode(state.body)
        assert state.parts == {"seen": str(made.state[3]).encode()}
        return made


class Other(Told):
    """Another one, which is told nothing but how many events there are."""

    name: ClassVar[str] = "other"

    def observe(self, event: Event, now: float) -> None:
        del event
        self.state[3] += 1
        self.state[:2] = [self.state[3] % 2, now]


class Shy(Told):
    """One that words what it finds only when it is told; told to be mute, it has no words."""

    name: ClassVar[str] = "shy"

    def findings(self, now: float) -> Sequence[Unworded]:
        count, onset, *_ = self.state
        return [
            Unworded(finding="odd", onset=onset, labels={"n": str(n)}, words=partial(self.words, n, now))
            for n in range(int(count))
        ]

    def words(self, n: int, now: float) -> Finding:
        """Raises ValueError when it is mute."""
        if self.state[2]:
            raise ValueError("no word")
        return Finding(finding="odd", onset=self.state[1], labels={"n": str(n)}, summary=f"{now:.0f}")


class Judge(Other):
    """One that is concerned by evaluations alone."""

    name: ClassVar[str] = "judge"
    watches: ClassVar[frozenset[str]] = frozenset({"agent.evaluation.v1"})


KINDS = {"told": Told, "other": Other}


def settings_of(files: Sequence[ConfigFile]) -> Settings:
    """The text of each file is the options of both detectors, as JSON; or says nothing of use."""
    options: dict[str, Any] = {}
    redact: tuple[str, ...] = ()
    for file in files:
        try:
            options |= msgspec.json.decode(file.text, type=dict[str, dict[str, Any]])
        except msgspec.DecodeError as fault:
            raise ValueError(f"{file.name}: {fault}") from fault
        redact = tuple(options.pop("redact", {}).get("patterns", ()))
    return Settings(agents=(Watch(agent="vip"),), detectors=options, redact=redact)


def config(said: Mapping[str, Any]) -> tuple[ConfigFile, ...]:
    return (ConfigFile("rules", msgspec.json.encode(said).decode()),)


def settings_record(said: Mapping[str, Any] | str, digest: str = "d2", at_s: float = START_S) -> Resettle:
    files = (ConfigFile("rules", said),) if isinstance(said, str) else config(said)
    return Resettle(time=moment(at_s), digest=digest, files=files)


class Script:
    """Records, written one after the other."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.offset = 0

    def put(self, value: bytes, written_s: float | None = None, headers=()) -> list[Output]:
        """Writes a record; gives what comes of it."""
        record = Record(self.offset, value, b"", written_s, headers)
        self.records.append(record)
        self.offset += 1
        return self.take(record)

    def take(self, record: Record) -> list[Output]:
        """Nobody reads."""
        del record
        return []

    def event(
        self, at_s: float, agent: str = "ana", written_s: float | None = None, **more: Any
    ) -> list[Output]:
        """An event `at_s` seconds after the start; `id`, `kind`, `version` and parts of the data by name.

        `drill`: the fire drill that it belongs to.
        """
        name = more.pop("id", f"{self.offset}")
        drill = {"drill": more.pop("drill")} if "drill" in more else {}
        kind = more.pop("kind", "agent.operation.v1")
        who = {"name": agent, "version": more.pop("version", None)}
        data = {"operation": {"name": "chat"}, "agent": who, **more}
        said = {"specversion": "1.0", "id": name, "source": "s", "type": kind, "time": moment(START_S + at_s)}
        written = None if written_s is None else START_S + written_s
        return self.put(msgspec.json.encode({**said, **drill, "data": data}), written)

    def told(
        self, at_s: float, agent: str = "ana", written_s: float | None = None, **said: Any
    ) -> list[Output]:
        """An event that tells the detector what to do."""
        return self.event(at_s, agent, written_s, attributes=said)

    def tick(self, at_s: float, written_s: float | None = None) -> list[Output]:
        written = None if written_s is None else START_S + written_s
        return self.put(encode(Tick(time=moment(START_S + at_s))), written)

    def control(self, control: Control) -> list[Output]:
        return self.put(encode(control))

    def rebase(self, at_s: float, agent: str = "ana", detector: str = "told") -> list[Output]:
        return self.control(Rebase(time=moment(START_S + at_s), agent=agent, detector=detector))


class Tape(Script):
    """A bank that reads the records as they are written; what it puts out is kept, as it came."""

    def __init__(self, bank: Bank | None = None, **kwargs: Any) -> None:
        super().__init__()
        self.bank = bank or Bank(settings_of, **{"kinds": {"told": Told}, **kwargs})
        self.outputs: list[Output] = []

    def take(self, record: Record) -> list[Output]:
        """Shows it to the bank."""
        given = list(self.bank.apply(record))
        self.outputs += given
        return given

    @property
    def signals(self) -> list[Signal]:
        return signals(self.outputs)

    @property
    def reasons(self) -> list[str]:
        return reasons(self.outputs)


def signals(outputs: Sequence[Output]) -> list[Signal]:
    return [each.value.signal for each in outputs if isinstance(each.value, Signalled)]


def wakes(outputs: Sequence[Output]) -> list[Wake]:
    return [each.value for each in outputs if isinstance(each.value, Wake)]


def reasons(outputs: Sequence[Output]) -> list[str]:
    return [dict(each.headers)["reason"].decode() for each in outputs if each.stream == "deadletter"]
