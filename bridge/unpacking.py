"""The fold that takes OTLP apart: one export request in, its spans out, each by its trace id."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from bridge import names, otlp_json
from bridge.clock import advanced
from bridge.losses import Losses
from bridge.raw import Raw, Unreadable
from bridge.reading import UNKNOWN_SERVICE, Unusable, read
from bridge.values import text
from schemas.record import Output, Record, Saved

Decoder = Callable[[bytes], Iterator[Raw]]
FEWEST = 10
SHARE = 0.01
"""So many spans of a quarter of an hour, and so large a part, are told when they cannot be used."""
MOST_LETTERS = 100
"""Spans of one request that are dead letters one by one: a megabyte holds some 300,000 empty ones."""
SCOPE_SPANS = b"\x12"
"""How the part of a request in protobuf begins that has its spans. JSON has no such character."""


def proto() -> Decoder:
    """The decoder of protobuf, which is an extra: who exports JSON needs none.

    Raises:
        ImportError: it is not installed.
    """
    from bridge import otlp_proto  # noqa: PLC0415 - only where it is needed

    return otlp_proto.spans


class Unpacking:
    """Spans of both encodings, told apart by how they begin.

    What of a record is no usable span goes to the dead letters with its place; the others go on. Its state is
    what was lost lately.
    """

    wake_at: float | None = None

    def __init__(self, proto: Callable[[], Decoder] = proto, where: str = "otlp_spans") -> None:
        """`proto`: finds the decoder of protobuf. `where`: the topic and the partition, as signals say it."""
        self._proto = proto
        self._where = where
        self._losses = Losses()
        self._now = 0.0
        self.unusable = 0
        """Spans that could not be used, so far."""

    def apply(self, record: Record) -> Sequence[Output]:
        """The spans of an export request."""
        self._now = advanced(self._now, record.time_s)
        try:
            outputs = list(self._apart(record))
        except Unreadable as error:
            self._losses.see(self._now)
            self._losses.lose(self._now, (record.key or b"").decode("utf-8", "replace"), str(error))
            outputs = [_unread(record, error)]
        if self._losses.is_due(self._now, FEWEST, SHARE):
            words = (
                f"spans, or requests of them, of {self._where} cannot be used and lie among the dead letters"
            )
            outputs.append(self._losses.signal(self._now, "unusable_spans", self._where, words))
        return outputs

    def _apart(self, record: Record) -> Iterator[Output]:
        before = self.unusable
        for n, raw in enumerate(self._decoder(record.value)(record.value)):
            self._losses.see(self._now)
            try:
                span = read(raw)
            except Unusable as error:
                self.unusable += 1
                service = text(raw.resource, names.SERVICE) or UNKNOWN_SERVICE
                self._losses.lose(self._now, service, str(error))
                if self.unusable - before <= MOST_LETTERS:
                    yield _refused(record, raw, f"span {n} ({raw.name[:64]!r}): {error}")
            else:
                yield Output("spans", span.trace, span, span.at)
        more = self.unusable - before - MOST_LETTERS
        if more > 0:
            yield _letter(record, "", b"", f"{more:,} more spans of the same request cannot be used")

    def _decoder(self, value: bytes) -> Decoder:
        if _is_json(value):
            return otlp_json.spans
        try:
            return self._proto()
        except ImportError as error:
            raise Unreadable(
                "no otlp_json, and otlp_proto needs: pip install agent-oversight[otlp]"
            ) from error

    def waking(self, at_s: float) -> tuple[bytes, bytes]:
        """It never wants to be woken."""
        raise NotImplementedError(f"nothing waits here, at {at_s}")

    def unsaved(self) -> Mapping[str, int]:
        """It has no keys."""
        return {}

    def save(self, key: str) -> Saved | None:
        """It has no keys."""
        raise KeyError(key)

    def load(self, key: str, saved: Saved) -> None:
        """It has no keys."""
        raise ValueError(f"no state was kept here, yet there is {key} at {saved.applied}")

    def mark(self) -> bytes:
        """What was lost lately."""
        return msgspec.msgpack.encode((self._now, self._losses))

    def resume(self, mark: bytes) -> None:
        """Goes on from it; before version 0.1 there was none."""
        if mark:
            self._now, self._losses = msgspec.msgpack.decode(mark, type=tuple[float, Losses])


def _is_json(value: bytes) -> bool:
    """Whether it begins with `{`, as no message of OTLP does.

    But after a line break one may: where its first part is 123 bytes long.
    """
    return value.lstrip()[:1] == b"{" and not (value[:1] == b"\n" and SCOPE_SPANS in value)


def _unread(record: Record, fault: Unreadable) -> Output:
    """The whole record, which can be put back."""
    reason = f"{type(fault).__name__}: {fault}"[:1000].encode("utf-8", "backslashreplace")
    key = (record.key or b"").decode("utf-8", "replace")
    headers = (("reason", reason), *record.headers)
    return Output("deadletter", key, record.value, record.time_s or 0.0, headers)


def _refused(record: Record, raw: Raw, reason: str) -> Output:
    body = {"traceId": raw.trace, "spanId": raw.id, "name": raw.name, "attributes": dict(raw.attributes)}
    return _letter(record, raw.trace, msgspec.json.encode(body, enc_hook=str), reason)


def _letter(record: Record, key: str, value: bytes, reason: str) -> Output:
    headers = (("reason", reason[:1000].encode("utf-8", "backslashreplace")),)
    return Output("deadletter", key, value, record.time_s or 0.0, headers)
