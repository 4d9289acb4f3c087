"""OTLP as protobuf: what the collector's Kafka exporter writes unless told otherwise (`otlp_proto`)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from bridge.raw import DEEPEST, Attributes, Raw, RawEvent, Unreadable


def spans(value: bytes) -> Iterator[Raw]:
    """The spans of an export request.

    Raises:
        Unreadable: it is no such message.
    """
    try:
        traces = trace_pb2.TracesData.FromString(value)
    except (DecodeError, RecursionError) as error:
        raise Unreadable(f"otlp_proto: {error}") from error
    for each in traces.resource_spans:
        resource = _attributes(each.resource.attributes)
        for scope in each.scope_spans:
            for span in scope.spans:
                yield _raw(span, resource)


def _raw(span: trace_pb2.Span, resource: Attributes) -> Raw:
    return Raw(
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        name=span.name,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        message=span.status.message,
        attributes=_attributes(span.attributes),
        events=[RawEvent(each.name, _attributes(each.attributes)) for each in span.events],
        resource=resource,
    )


def _attributes(pairs: Iterable[KeyValue], depth: int = 0) -> Mapping[str, Any]:
    return {pair.key: _plain(pair.value, depth) for pair in pairs}


def _plain(value: AnyValue, depth: int) -> Any:
    if depth > DEEPEST:
        return None
    match value.WhichOneof("value"):
        case "array_value":
            return [_plain(each, depth + 1) for each in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values, depth + 1)
        case None | "bytes_value":
            return None
        case kind:
            return getattr(value, kind)
