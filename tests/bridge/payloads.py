"""Real payloads as OTLP: Tempo's older shape, Jaeger's JSON and Langfuse's own in the shape of the wire."""

import gzip
import json
from datetime import datetime
from hashlib import blake2b

from tests.conftest import shared_data

KINDS = {"GENERATION": "chat", "TOOL": "execute_tool", "AGENT": "invoke_agent"}


def _lines(name):
    with gzip.open(shared_data(name)) as lines:
        return [json.loads(line) for line in lines]


def kagent():
    """Export requests of real agents: 254 spans of three traces."""
    return [
        _of_tempo(each["doc"]) if "batches" in each["doc"] else _of_jaeger(each["doc"])
        for each in _lines("otel_genai_spans.jsonl.gz")
    ]


def frameworks():
    """Export requests of 22 traces of some eighteen agent frameworks, with the traces' own lines."""
    return [(_of_langfuse(each), each) for each in _lines("langfuse_framework_traces.jsonl.gz")]


def _of_tempo(doc):
    return {
        "resourceSpans": [
            {
                "resource": batch["resource"],
                "scopeSpans": [{"spans": each["spans"]} for each in batch["instrumentationLibrarySpans"]],
            }
            for batch in doc["batches"]
        ]
    }


def _of_jaeger(doc):
    return {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": pairs(
                        {
                            "service.name": trace["processes"][span["processID"]]["serviceName"],
                        }
                    )
                },
                "scopeSpans": [{"spans": [_jaeger_span(span)]}],
            }
            for trace in doc["data"]
            for span in trace["spans"]
        ]
    }


def _jaeger_span(span):
    tags = {each["key"]: each["value"] for each in span["tags"]}
    parents = [each["spanID"] for each in span["references"] if each["refType"] == "CHILD_OF"]
    return {
        "traceId": span["traceID"],
        "spanId": span["spanID"],
        "parentSpanId": parents[0] if parents else "",
        "name": span["operationName"],
        "startTimeUnixNano": str(span["startTime"] * 1000),
        "endTimeUnixNano": str((span["startTime"] + span["duration"]) * 1000),
        "attributes": pairs(tags),
        "status": {"code": 2 if tags.get("error") else 0},
    }


def _of_langfuse(line):
    trace = line["trace"]
    told = _mapping(trace.get("metadata"))
    resource = {"service.name": "unknown_service", **told.get("resourceAttributes", {})}
    spans = [_langfuse_span(each, trace) for each in line["observations"]]
    return {
        "resourceSpans": [{"resource": {"attributes": pairs(resource)}, "scopeSpans": [{"spans": spans}]}]
    }


def _langfuse_span(seen, trace):
    said = dict(_mapping(seen.get("metadata")).get("attributes", {}))
    usage = seen.get("usageDetails") or {}
    if seen["type"] in KINDS:
        said.setdefault("gen_ai.operation.name", KINDS[seen["type"]])
    if seen["type"] == "GENERATION":
        said.setdefault("gen_ai.request.model", seen["model"])
        said.setdefault("gen_ai.usage.input_tokens", usage.get("input"))
        said.setdefault("gen_ai.usage.output_tokens", usage.get("output"))
    if seen["type"] == "TOOL":
        said.setdefault("gen_ai.tool.name", seen["name"])
    if seen["type"] == "AGENT":
        said.setdefault("gen_ai.agent.name", seen["name"])
    if trace.get("sessionId"):
        said.setdefault("session.id", trace["sessionId"])
    end = seen.get("endTime") or seen["startTime"]
    return {
        "traceId": digits(trace["id"], 32),
        "spanId": digits(seen["id"], 16),
        "parentSpanId": digits(seen["parentObservationId"], 16) if seen.get("parentObservationId") else "",
        "name": seen.get("name") or "",
        "startTimeUnixNano": str(_nanoseconds(seen["startTime"])),
        "endTimeUnixNano": str(_nanoseconds(end)),
        "attributes": pairs({name: each for name, each in said.items() if each is not None}),
    }


def digits(name, count):
    """Hexadecimal digits of a name that may be a UUID."""
    plain = name.replace("-", "")
    if len(plain) == count and set(plain) <= set("0123456789abcdef"):
        return plain
    return blake2b(name.encode(), digest_size=count // 2).hexdigest()


def _mapping(said):
    said = json.loads(said) if isinstance(said, str) and said else said
    return said if isinstance(said, dict) else {}


def _nanoseconds(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000) * 1_000_000


def pairs(said):
    """Attributes as OTLP's JSON has them."""
    return [{"key": name, "value": value(each)} for name, each in said.items()]


def value(said):
    """One of them."""
    match said:
        case bool():
            return {"boolValue": said}
        case int():
            return {"intValue": str(said)}
        case float():
            return {"doubleValue": said}
        case list():
            return {"arrayValue": {"values": [value(each) for each in said]}}
        case dict():
            return {"kvlistValue": {"values": pairs(said)}}
        case _:
            return {"stringValue": str(said)}
