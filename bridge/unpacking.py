"""The fold that takes OTLP apart: one export request in, its spans out, each by its trace id. No state."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from bridge import otlp_json
from bridge.raw import Raw, Unreadable
from bridge.reading import Unusable, read
from schemas.record import Output, Record, Saved

Decoder = Callable[[bytes], Iterator[Raw]]


def proto() -> Decoder:
    """The decoder of protobuf, which is an extra: who exports JSON needs none.

    Raises:
        ImportError: it is not installed.
    """
    from bridge import otlp_proto  # noqa: PLC0415 - only where it is needed

    return otlp_proto.spans


class Unpacking:
    """Spans of both encodings, told apart by their first byte: no message of OTLP begins like JSON's `{`.

    What of a record is no usable span goes to the dead letters with its place; the others go on.
    """

    wake_at: float | None = None

    def __init__(self, proto: Callable[[], Decoder] = proto) -> None:
        """`proto`: finds the decoder of protobuf."""
        self._proto = proto
        self.unusable = 0
        """Spans that could not be used, so far."""

    def apply(self, record: Record) -> Sequence[Output]:
        """The spans of an export request.

        Raises:
            Unreadable: it is none.
        """
        outputs: list[Output] = []
        for n, raw in enumerate(self._decoder(record.value)(record.value)):
            try:
                span = read(raw)
            except Unusable as error:
                self.unusable += 1
                outputs.append(_refused(record, raw, f"span {n} ({raw.name[:64]!r}): {error}"))
            else:
                outputs.append(Output("spans", span.trace, span, span.at))
        return outputs

    def _decoder(self, value: bytes) -> Decoder:
        if value.lstrip()[:1] == b"{":
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
        """It has no state."""
        return {}

    def save(self, key: str) -> Saved | None:
        """It has no state."""
        raise KeyError(key)

    def load(self, key: str, saved: Saved) -> None:
        """It has no state."""
        raise ValueError(f"no state was kept here, yet there is {key} at {saved.applied}")

    def mark(self) -> bytes:
        """It has no state."""
        return b""

    def resume(self, mark: bytes) -> None:
        """It has no state."""


def _refused(record: Record, raw: Raw, reason: str) -> Output:
    body = {"traceId": raw.trace, "spanId": raw.id, "name": raw.name, "attributes": dict(raw.attributes)}
    return Output(
        "deadletter",
        raw.trace,
        msgspec.json.encode(body, enc_hook=str),
        record.time_s or 0.0,
        (("reason", reason[:1000].encode("utf-8", "backslashreplace")),),
    )
