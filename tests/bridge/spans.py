"""Spans made up: export requests in both encodings, and what the bridge makes of them."""

import json

from opentelemetry.proto.trace.v1 import trace_pb2

from bridge.traces import Traces
from bridge.unpacking import Unpacking
from schemas.record import Record
from schemas.wire import encode
from tests.bridge.payloads import pairs

TRACE = "0af7651916cd43dd8448eb211c80319c"
START_S = 1_767_225_600  # 2026-01-01


def span(number, parent=0, *, start_s=0.0, took_s=1.0, failed=False, message="", name="", events=(), **said):
    """A span of OTLP in JSON. Attributes: dots are written as two underlines."""
    start_ns = int((START_S + start_s) * 1e9)
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": name,
        "startTimeUnixNano": str(start_ns),
        "endTimeUnixNano": str(start_ns + int(took_s * 1e9)),
        "attributes": pairs({key.replace("__", "."): each for key, each in said.items()}),
        "events": [{"name": kind, "attributes": pairs(each)} for kind, each in events],
        "status": {"code": 2 if failed else 0, "message": message},
    }


def request(*spans, **resource):
    """An export request with one resource."""
    said = {"service.name": "shop"} | {key.replace("__", "."): each for key, each in resource.items()}
    return {"resourceSpans": [{"resource": {"attributes": pairs(said)}, "scopeSpans": [{"spans": [*spans]}]}]}


def as_json(made):
    return json.dumps(made).encode()


def as_proto(made):
    """The same request in protobuf."""
    traces = trace_pb2.TracesData()
    for each in made["resourceSpans"]:
        resource = traces.resource_spans.add()
        _fill(resource.resource.attributes, each["resource"]["attributes"])
        for scope in each["scopeSpans"]:
            into = resource.scope_spans.add()
            for told in scope["spans"]:
                _proto_span(into.spans.add(), told)
    return traces.SerializeToString()


def _proto_span(into, told):
    into.trace_id, into.span_id = bytes.fromhex(told["traceId"]), bytes.fromhex(told["spanId"])
    into.parent_span_id = bytes.fromhex(told["parentSpanId"])
    into.name = told["name"]
    into.start_time_unix_nano, into.end_time_unix_nano = (
        int(told["startTimeUnixNano"]),
        int(told["endTimeUnixNano"]),
    )
    into.status.code, into.status.message = told["status"]["code"], told["status"]["message"]
    _fill(into.attributes, told["attributes"])
    for each in told["events"]:
        _fill(into.events.add(name=each["name"]).attributes, each["attributes"])


def _fill(into, attributes):
    for each in attributes:
        _value(into.add(key=each["key"]).value, each["value"])


def _value(into, said):
    match said:
        case {"stringValue": text}:
            into.string_value = text
        case {"boolValue": flag}:
            into.bool_value = flag
        case {"intValue": number}:
            into.int_value = int(number)
        case {"doubleValue": number}:
            into.double_value = number
        case {"bytesValue": _}:
            into.bytes_value = b"?"
        case _:
            _several(into, said)


def _several(into, said):
    match said:
        case {"arrayValue": {"values": values}}:
            into.array_value.SetInParent()
            for each in values:
                _value(into.array_value.values.add(), each)
        case {"kvlistValue": {"values": values}}:
            into.kvlist_value.SetInParent()
            _fill(into.kvlist_value.values, values)


def unpacked(made):
    """The spans of a request, as they go to where they are joined."""
    outputs = Unpacking().apply(Record(0, as_json(made)))
    return [each.value for each in outputs if each.stream == "spans"]


def bridged(*requests):
    """The events of requests that come at once, by span."""
    traces, spans = Traces(), [each for made in requests for each in unpacked(made)]
    outputs = []
    for offset, each in enumerate(spans):
        outputs += traces.apply(Record(offset, encode(each), time_s=START_S))
    outputs += traces.drain(len(spans))
    return {int(each.value.id.split("-")[1], 16): each.value for each in outputs}
