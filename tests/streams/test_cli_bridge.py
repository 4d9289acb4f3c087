"""`oversight bridge`: files of spans to events; the broker's part is tested by the contract suite."""

import gzip
import json

from click.testing import CliRunner

from streams.cli import main
from tests.bridge.spans import request, span

AGENT = span(1, gen_ai__operation__name="invoke_agent", gen_ai__agent__name="refunds")
CALL = span(2, 1, gen_ai__operation__name="chat")


def bridge(*arguments):
    return CliRunner().invoke(main, ["bridge", *map(str, arguments)])


def test_spans_of_a_file_become_events(tmp_path):
    file = tmp_path / "spans.jsonl.gz"
    lines = [request(CALL), request(AGENT)]
    file.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    result = bridge(file)
    assert result.exit_code == 0
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert {each["data"]["operation"]["name"]: each["data"]["agent"]["name"] for each in events} == {
        "chat": "refunds",
        "invoke_agent": "refunds",
    }


def test_what_is_left_out_is_told_with_its_place_and_the_rest_is_there(tmp_path):
    file = tmp_path / "spans.jsonl"
    bad = CALL | {"traceId": "1"}
    file.write_text("\n".join(["{}", json.dumps(request(bad, AGENT))]))
    result = bridge(file)
    assert result.exit_code == 1
    assert "spans.jsonl:1: otlp_json: " in result.stderr
    assert "traceId is '1'" in result.stderr
    assert len(result.stdout.splitlines()) == 1


def test_a_file_that_is_not_there_is_wrong(tmp_path):
    assert bridge(tmp_path / "none.jsonl").exit_code == 2


def test_without_files_or_a_broker_it_says_what_it_expects():
    result = bridge()
    assert result.exit_code == 2
    assert "expected FILE… or --to host:port" in result.stderr
