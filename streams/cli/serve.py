"""`oversight serve`: takes what people do, from Slack, PagerDuty and the HTTP API."""

import asyncio
import os

import click
from aiokafka.errors import KafkaError

from streams.cli.console import Wrong, console, hush
from streams.cli.options import BROKER, connected
from streams.cli.stopping import ended_when_told
from streams.hosting.variables import Misconfigured
from streams.ingress.access import bound, read
from streams.logbook import logged
from streams.publication import Unreachable, reach

HELP = """Takes what people do to incidents: buttons in Slack, PagerDuty's webhooks, the HTTP API.

It runs beside the workers and can be stopped, or run twice, without harm: what people do is written to
Kafka before it is answered, and the same press twice counts once. It listens on loopback; elsewhere only with
a token.

\b
Told by the environment (several values by comma; NAME_FILE names a file instead):
  OVERSIGHT_API_TOKEN        what `Authorization: Bearer` must say
  SLACK_SIGNING_SECRET       opens /slack/interactions
  PAGERDUTY_WEBHOOK_SECRET   opens /pagerduty/webhooks
  OVERSIGHT_LINK_SECRET      opens the links of letters and cards; the workers sign with it
  SLACK_APP_TOKEN            Slack's Socket Mode: nobody need reach this machine

\b
Examples:
  oversight serve --to localhost:9092
  OVERSIGHT_API_TOKEN_FILE=/run/secrets/api oversight serve --to kafka:9092 --listen 0.0.0.0:8088
"""


@click.command("serve", help=HELP, short_help="Take what people do: Slack, PagerDuty, HTTP.")
@BROKER
@click.option("--listen", "place", default="127.0.0.1:8088", show_default=True, help="host:port")
def command(*, bootstrap: str, place: str) -> None:
    """Serves until it is told to stop."""
    from streams.ingress.serving import Place, serve  # noqa: PLC0415 - aiohttp takes a while: not for --help

    hush("aiokafka")
    host, _, port = place.rpartition(":")
    if not host or not port.isdecimal():
        raise click.UsageError(f"--listen is {place!r}; expected host:port")
    try:
        access = read(os.environ)
        where = Place(bound(host.strip("[]"), access), int(port))
        logged()
        connection = connected(bootstrap)
        with ended_when_told():
            asyncio.run(reach(connection))
            console().print(f"[fine]✓[/] listening on {place}", markup=True)
            asyncio.run(serve(connection, where, access))
    except (Misconfigured, Unreachable, KafkaError, OSError) as error:
        raise Wrong(str(error)) from error
