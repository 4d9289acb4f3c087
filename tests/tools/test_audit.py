"""The audit of the locks, by a service on loopback: what is known is told, and silence is no good news."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.house.tree import LOCKS, locked
from tools import audit


@contextmanager
def advising(advisories, *, answer=None):
    """A service that knows these advisories, by name of a package; or that answers as it is told to."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            queries = json.loads(self.rfile.read(int(self.headers["content-length"])))["queries"]
            asked.extend(queries)
            known = [advisories.get(each["package"]["name"], []) for each in queries]
            results = [{"vulns": [{"id": name} for name in ids]} if ids else {} for ids in known]
            body = json.dumps({"results": results} if answer is None else answer).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_every_package_of_the_locks_is_asked_for_and_where_nothing_is_known_all_is_well(capsys):
    with advising({}) as (address, asked):
        assert audit.main(address) == 0
    said = {(each["package"]["name"], each["version"]) for each in asked}
    assert said == {each for lock in LOCKS for each in locked(lock).items()}
    assert f"0 known vulnerabilities in {len(said)} packages: passed" in capsys.readouterr().out


def test_a_known_vulnerability_is_told_with_its_package_and_ends_with_1(capsys):
    with advising({"aiohttp": ["GHSA-1", "PYSEC-2"]}) as (address, _):
        assert audit.main(address) == 1
    said = capsys.readouterr().out
    assert f"aiohttp {locked('requirements.lock')['aiohttp']}: GHSA-1, PYSEC-2" in said
    assert "2 known vulnerabilities" in said


@pytest.mark.parametrize("answer", [{}, {"results": []}, []])
def test_where_nobody_answers_as_was_asked_it_says_that_nothing_was_audited(answer, capsys):
    with advising({}, answer=answer) as (address, _):
        assert audit.main(address) == 0
        assert audit.main(address, ["--required"]) == 2
    assert "NOT RUN, 1 skipped: no answer from 127.0.0.1" in capsys.readouterr().out


def test_without_a_network_it_is_the_same(capsys):
    assert audit.main("http://127.0.0.1:1/") == 0
    assert "NOT RUN, 1 skipped: no answer from 127.0.0.1 (ConnectError)" in capsys.readouterr().out
