"""The process that fills templates of others: no secrets in its environment, little memory, little time.

It reads frames from its standard input and answers each on its standard output, until that ends. A frame is
four bytes of length, big-endian, and JSON: `{"template", "variables"}` in, `{"text"}` or `{"fault"}` out.
"""

import resource
import signal
import sys
from typing import Any, BinaryIO

import msgspec

from routing.words.templates import TemplateFault, fill

MEMORY = 384 * 2**20
"""Bytes of address space, the interpreter's own 30 MB included."""
ORPHAN_S = 5.0
"""The host kills after one second; should the host be gone, the alarm does."""
LENGTH = 4


class Request(msgspec.Struct, frozen=True):
    """One template to fill."""

    template: str
    variables: dict[str, Any]


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The text, or why there is none."""

    text: str = ""
    fault: str = ""


def frame(value: msgspec.Struct) -> bytes:
    """A struct with its length before it."""
    body = msgspec.json.encode(value)
    return len(body).to_bytes(LENGTH, "big") + body


def answer(request: Request) -> Reply:
    """Fills one template; a fault of the template is an answer, not an end."""
    try:
        return Reply(text=fill(request.template, request.variables))
    except TemplateFault as fault:
        return Reply(fault=str(fault)[:500])


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answers until the requests end; an empty reply at first says that it is ready."""
    _send(replies, Reply())
    while head := requests.read(LENGTH):
        request = msgspec.json.decode(requests.read(int.from_bytes(head, "big")), type=Request)
        signal.setitimer(signal.ITIMER_REAL, ORPHAN_S)
        reply = answer(request)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(replies, reply)


def _send(replies: BinaryIO, reply: Reply) -> None:
    replies.write(frame(reply))
    replies.flush()


def main() -> None:
    """Limits itself and serves."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # macOS refuses this limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
