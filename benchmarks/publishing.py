"""What an agent pays to publish: each kind of call, beside a line of log.

    python benchmarks/publishing.py             eleven rounds of 20 x 4,000 calls
    python benchmarks/publishing.py --quick     three rounds of 2 x 4,000

Microseconds of CPU time by call, a loop that does nothing taken off: of the agent's own thread (the call),
and of the whole process until everything was handed to a transport that throws it away (with encoding, which
runs beside the agent). Each round runs every contender, one after the other; the ratio is paired by round, to
`logging.info` of a line of the same words into memory. The aim is below 20 µs a call. What is dropped would
be cheaper: nothing may be.
"""

import argparse
import io
import logging
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent_oversight import AgentEvents, Record
from agent_oversight.opentelemetry import OpenTelemetry

AIM_US = 20.0
SPAN = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 812,
    "gen_ai.usage.output_tokens": 64,
    "gen_ai.usage.cache_read.input_tokens": 640,
    "gen_ai.input.messages": "[]",
    "server.address": "api.openai.com",
    "server.port": 443,
}
CALLS = 4000
"""Between two flushes: less than the queue holds."""


class Nowhere:
    """A transport that throws away."""

    async def start(self) -> None:
        """Nothing to connect."""

    async def send(self, records: Sequence[Record]) -> None:
        """Takes all."""

    async def stop(self) -> None:
        """Nothing to let go of."""


def contenders(events: AgentEvents) -> dict[str, Callable[[], object]]:
    """What is measured, by name."""
    log = logging.getLogger("agent")
    log.setLevel(logging.INFO)
    log.propagate = False
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    log.addHandler(handler)

    def tool() -> None:
        with events.tool("payments.refund"):
            pass

    def chat() -> None:
        with events.chat("gpt-4o", "openai") as call:
            call.tell(
                usage={"input_tokens": 812, "output_tokens": 64}, response={"model": "gpt-4o-2024-08-06"}
            )

    def late() -> None:
        raise TimeoutError("no answer within 10 s")

    def failing() -> None:
        with suppress(TimeoutError), events.tool("payments.refund"):
            late()

    def session() -> None:
        with events.session(tenant="acme", user="u1"):
            pass

    processor = OpenTelemetry(events)
    span = ReadableSpan("chat", trace.SpanContext(1, 2, is_remote=False), attributes=SPAN, start_time=1)
    return {
        "a line of log": lambda: log.info("tool=%s duration=%.3f", "payments.refund", 0.1),
        "publish": lambda: events.publish("agent.operation.v1", operation={"name": "execute_tool"}),
        "tool(…)": tool,
        "chat(…) with usage": chat,
        "tool(…) that fails": failing,
        "a span of OpenTelemetry": lambda: processor.on_end(span),
        "session(…): two events": session,
    }


def spent(ask: Callable[[], object], events: AgentEvents, times: int) -> tuple[float, float]:
    """Microseconds by call: of this thread, and of the process until all is gone."""
    thread_s = process_s = 0.0
    for _ in range(times):
        began_s, began_all_s = time.thread_time(), time.process_time()
        for _ in range(CALLS):
            ask()
        thread_s += time.thread_time() - began_s
        if not events.flush(60.0):
            raise SystemExit("events are not sent")
        process_s += time.process_time() - began_all_s
    return thread_s / times / CALLS * 1e6, process_s / times / CALLS * 1e6


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    rounds, times = (3, 2) if quick else (11, 20)
    events = AgentEvents("refund-agent", Nowhere(), version="2.1", environment="prod")
    asked = contenders(events)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
    console = Console()
    for _ in track(range(rounds), "rounds", console=console, transient=True):
        idle, _ = spent(lambda: None, events, times)
        for name, ask in asked.items():
            call, whole = spent(ask, events, times)
            found[name].append((call - idle, whole - idle))
    if any(events.lost):
        raise SystemExit(f"{events.lost}: these figures mean nothing")
    shown = Table("call", "µs in the agent", "to a line of log", "µs with sending", title="Publishing")
    for name, taken in found.items():
        calls = [call for call, _ in taken]
        ratios = [call / line for call, (line, _) in zip(calls, found["a line of log"], strict=True)]
        middle = statistics.median(calls)
        style = "green" if middle < AIM_US else "red"
        shown.add_row(
            name,
            f"[{style}]{middle:.2f}[/] [{min(calls):.2f}-{max(calls):.2f}]",
            f"{statistics.median(ratios):.2f}",
            f"{statistics.median(whole for _, whole in taken):.2f}",
        )
    console.print(shown)
    events.close()


if __name__ == "__main__":
    main()
