"""A model on loopback: an HTTP server that speaks OpenAI's chat completions, and answers as it is told."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OK = 200
USAGE = {
    "prompt_tokens": 120,
    "completion_tokens": 30,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 100},
    "completion_tokens_details": {"reasoning_tokens": 20},
}


@dataclass
class Model:
    """What it answers next, in order; without more it says that all is well. `named`: as whom."""

    url: str = ""
    named: str = "gpt-4o-mini-2024-07-18"
    replies: deque[tuple[int, dict[str, Any]]] = field(default_factory=deque)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def calls(self, tool: str, **arguments: Any) -> None:
        """It asks for a tool next."""
        call = {
            "id": "call-1",
            "type": "function",
            "function": {"name": tool, "arguments": json.dumps(arguments)},
        }
        self.replies.append((OK, _answer({"content": None, "tool_calls": [call]}, "tool_calls")))

    def answers(self, times: int) -> None:
        """All is well so often, before what is said after this."""
        self.replies.extend([(OK, _answer({"content": "All is well."}, "stop"))] * times)

    def fails(self, status: int, kind: str) -> None:
        """It refuses next."""
        self.replies.append((status, {"error": {"message": f"{kind}, says the model", "type": kind}}))

    def next(self) -> tuple[int, dict[str, Any]]:
        """The next reply."""
        return self.replies.popleft() if self.replies else (OK, _answer({"content": "All is well."}, "stop"))


def _answer(message: dict[str, Any], finish: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}],
        "usage": USAGE,
    }


def _streamed(answer: dict[str, Any]) -> bytes:
    """An answer as server-sent events: its text, why it ended, and at last the usage."""
    [choice] = answer["choices"]
    first = {**choice, "delta": choice["message"], "finish_reason": None}
    last = {**choice, "delta": {}}
    common = {**answer, "object": "chat.completion.chunk", "usage": None}
    chunks = [{**common, "choices": [each]} for each in (first, last)]
    chunks.append({**common, "choices": [], "usage": answer["usage"]})
    return b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in chunks) + b"data: [DONE]\n\n"


@contextmanager
def answering() -> Iterator[Model]:
    """A model that can be asked at its `url`."""
    model = Model()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            model.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            status, reply = model.next()
            reply = {**reply, "model": model.named} if status == OK else reply
            streams = status == OK and model.asked[-1].get("stream")
            body = _streamed(reply) if streams else json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("content-type", "text/event-stream" if streams else "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    model.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
