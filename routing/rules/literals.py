"""Secrets: references to the environment (`env:NAME`), and literals that should have been one."""

import re
from collections.abc import Iterator

from msgspec import Struct

from routing.rules.document.scalars import reference
from routing.rules.faults import Fault
from routing.rules.yaml_tree import Node, Place

_SECRETS = (
    (re.compile(r"xox[abeoprs]-[0-9A-Za-z-]{8,}|xapp-[0-9A-Za-z-]{8,}"), "a Slack token"),
    (
        re.compile(r"hooks\.slack\.com/(?:services|workflows|triggers)/[0-9A-Za-z/]{8,}"),
        "a Slack webhook's address",
    ),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\bgh[oprsu]_[0-9A-Za-z]{20,}|\bgithub_pat_\w{20,}"), "a GitHub token"),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "an AWS key"),
    (re.compile(r"\bsk-(?:[a-z]+-)*[0-9A-Za-z_-]{20,}"), "an API key"),
    (re.compile(r"://[^/\s:@]+:[^/\s:@]+@"), "an address with a password"),
    (re.compile(r"[?&]sig=[^&\s]{16,}"), "an address with a signature"),
)
_KEYED = (
    (
        frozenset({"pagerduty", "routing_key", "service_key"}),
        re.compile(r"[0-9A-Za-z]{32}\Z"),
        "a PagerDuty key",
    ),
    (frozenset({"password", "secret", "token"}), re.compile(r"(?!env:)"), "a secret"),
)
ALERTMANAGERS = "_configs"
_THEIR_SECRETS = frozenset({
    "api_key", "api_secret", "api_token", "auth_password", "auth_secret", "bearer_token", "bot_token",
    "client_secret", "credentials", "password", "routing_key", "secret_key", "service_key", "token",
    "user_key", "webhook_url", "smtp_auth_password", "smtp_auth_secret", "slack_api_url", "slack_app_token",
    "opsgenie_api_key", "wechat_api_secret", "victorops_api_key", "telegram_bot_token",
    "mattermost_webhook_url", "rocketchat_token",
})  # fmt: skip
"""What Alertmanager itself masks when it shows its configuration."""
_ADDRESSES = {"slack_configs": "api_url"}
"""Addresses that let whoever knows them write."""


class Variable(Struct, frozen=True, order=True):
    """A variable of the environment that the configuration refers to, and where it does."""

    name: str
    place: Place


class Literals(Struct, frozen=True):
    """What was found: `faults` in what is ours, `warnings` in what is Alertmanager's own."""

    variables: tuple[Variable, ...]
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


def literals(root: Node) -> Literals:
    """All references, and all literals that look like secrets; the messages never contain them."""
    variables: list[Variable] = []
    faults: list[Fault] = []
    warnings: list[Fault] = []
    for path, text, place in _texts(root, ()):
        if name := reference(text):
            variables.append(Variable(name, place))
        elif path[0] == "global" or any(step.endswith(ALERTMANAGERS) for step in path):
            if what := _secret(path, text) or _their_secret(path):
                kept = "the text of the configuration is kept in the log, and project prints it"
                warnings.append(
                    place.fault(f"looks like {what}: {kept}; put it into a file: {path[-1]}_file")
                )
        elif what := _secret(path, text):
            faults.append(place.fault(f"looks like {what}: write env:NAME, and put it into that variable"))
    return Literals(tuple(variables), tuple(faults), tuple(warnings))


def _secret(path: tuple[str, ...], text: str) -> str:
    """What a text looks like, or an empty string."""
    for shape, what in _SECRETS:
        if shape.search(text):
            return what
    # A contact with options says its target as `to`.
    key = path[-2] if path[-1] == "to" and len(path) > 1 else path[-1]
    for keys, shape, what in _KEYED:
        if key in keys and shape.match(text):
            return what
    return ""


def _their_secret(path: tuple[str, ...]) -> str:
    """What stands here in a part of Alertmanager's, or an empty string."""
    if path[-1] in _THEIR_SECRETS or any(_ADDRESSES.get(step) == path[-1] for step in path):
        return "a secret"
    return ""


def _texts(node: Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, Place]]:
    """Every text below a node, with the keys that lead to it."""
    for key, child in node.fields.items():
        yield from _texts(child, (*path, key))
    for child in node.entries:
        yield from _texts(child, path)
    if node.text:
        yield path, node.text, node.place
