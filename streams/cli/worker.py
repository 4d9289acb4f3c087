"""`oversight worker`: the pipeline on Kafka."""

import os
import sys

import click
from rich.console import Console

from streams.cli.console import THEME, Wrong
from streams.cli.rules import plainly
from streams.cli.stopping import ended_when_told
from streams.hosting.environment import Environment, read
from streams.hosting.rulebook import Rules, read_rules
from streams.hosting.variables import Misconfigured

HELP = """Runs the pipeline on Kafka: detects, routes and notifies, until it is told to stop (SIGTERM).

Start as many as you like: they share the partitions. State is kept in Kafka; a worker that dies loses
nothing. Changes of the configuration are followed while it runs; one that does not hold is refused, and the
owner hears of it.

\b
Told by the environment:
  OVERSIGHT_KAFKA        host:port of the brokers, several by comma (needed)
  OVERSIGHT_CONFIG       a YAML file or a directory of them (needed)
  OVERSIGHT_LINK_URL, OVERSIGHT_LINK_SECRET
                         for links in letters and cards: where `oversight serve` is reached, and its secret
                         (or OVERSIGHT_LINK_SECRET_FILE, a file that holds it)
  OVERSIGHT_KAFKA_…      TLS and SASL: see docs/operations.md; the same for every command
  OVERSIGHT_CLOCK        wall (default), or events for published history
  OVERSIGHT_NAME         what the consumer groups are called (oversight)
  OVERSIGHT_SESSION_S    a worker that is silent for so long has lost its partitions (10)
  OVERSIGHT_SNAPSHOT_S   state is written after so long (10)
  OVERSIGHT_BEHIND_S, OVERSIGHT_BEHIND_FOR_S
                         whose events wait for more than so long (120), for so long (300), is behind, and the
                         owner of agent-oversight is paged
  OVERSIGHT_ALIVE        a file to touch every 5 s while it works, for a health check
  OVERSIGHT_LISTEN       port, or host:port, for /healthz, /readyz and /metrics; beyond this machine only with
                         OVERSIGHT_METRICS_TOKEN (or OVERSIGHT_METRICS_TOKEN_FILE)
  OVERSIGHT_HEARTBEAT_URL
                         a dead-man's switch, called each minute while probes come through the pipeline
and every variable that the configuration refers to as env:NAME.

\b
Examples:
  oversight topics --to kafka:9092
  OVERSIGHT_KAFKA=kafka:9092 OVERSIGHT_CONFIG=oversight.yml oversight worker
"""


@click.command("worker", help=HELP, short_help="The pipeline on Kafka.")
def command() -> None:
    """Reads environment and rules, then runs."""
    with ended_when_told():
        with plainly(Misconfigured):
            environment = read(os.environ)
            rules = read_rules(environment.config, os.environ)
        _run(environment, rules)


def _run(environment: Environment, rules: Rules) -> None:
    from streams.worker import Order, run  # noqa: PLC0415 - Faust takes a second to import: not for --help

    screen = Console(file=sys.stdout, theme=THEME, highlight=False)
    try:
        run(Order(environment, rules, os.environ, lambda markup: screen.print(markup, soft_wrap=True)))
    except Misconfigured as error:
        raise Wrong(str(error)) from error
