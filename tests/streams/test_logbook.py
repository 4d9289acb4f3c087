"""Logs: a line of JSON each, also those of libraries, and never what variables held."""

import json
import logging
from io import StringIO

import pytest
import structlog

from streams.hosting.variables import Hidden
from streams.logbook import logged


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _as_before():
    """Other tests find logging as they left it."""
    root, kept = logging.getLogger(), structlog.get_config()
    before = root.level, list(root.handlers)
    yield
    root.handlers[:] = before[1]
    root.setLevel(before[0])
    structlog.configure(**kept)


def fail():
    password = "hunter-2-" + "x"
    raise ValueError(f"no {len(password)}")


def said(stream):
    """Writes as the product and a library do, into a stream."""
    logged(stream)
    structlog.get_logger("streams").info("page.attempted", page="pag-1", url=Hidden("https://secret"))
    structlog.get_logger("streams").debug("not.told")
    library = logging.getLogger("somebody.elses")
    library.info("POST https://hooks.example/secret-path")
    library.warning("broker %s is away", "b-1")
    try:
        fail()
    except ValueError:
        structlog.get_logger("streams").exception("host.interrupted")
        library.exception("it failed")
    return stream.getvalue()


def test_each_line_is_an_event_in_json_those_of_libraries_too():
    lines = [json.loads(line) for line in said(StringIO()).splitlines()]
    assert [each["event"] for each in lines] == [
        "page.attempted",
        "broker b-1 is away",
        "host.interrupted",
        "it failed",
    ]
    assert [each["level"] for each in lines] == ["info", "warning", "error", "error"]
    assert {each["timestamp"][-1] for each in lines} == {"Z"}
    assert lines[1]["logger"] == "somebody.elses"
    assert lines[2]["exception"].endswith("ValueError: no 10")
    assert lines[3]["exception"].endswith("ValueError: no 10")


def test_in_a_terminal_they_are_in_colour():
    text = said(Terminal())
    assert "\x1b[" in text
    assert "page.attempted" in text


@pytest.mark.parametrize("stream", [StringIO, Terminal])
def test_no_secret_is_told_neither_hidden_ones_nor_what_variables_held(stream):
    text = said(stream())
    assert not any(each in text for each in ("hunter-2", "https://secret", "secret-path"))


def test_no_secret_is_told_that_lies_in_something_else():
    stream = StringIO()
    logged(stream)
    secret = Hidden("https://secret")
    structlog.get_logger("streams").info("told", of={"a": [secret], "b": (secret, 1)}, some={secret})
    told = stream.getvalue()
    assert "https" not in told
    assert told.count("[hidden]") == 3
