"""What the laws must know of each channel: an answer that is well, answers for later, answers for never."""

from routing.notifiers.notifier import Answer, Notifier

TARGET = "https://sink.example/TARGET-SECRET"
SECRETS = {
    "env:TARGET": TARGET,
    "env:TOKEN": "TOKEN-SECRET",
    "env:URL": "https://sink.example/URL-SECRET",
    "env:SLACK_BOT_TOKEN": "BOT-SECRET",
}
TARGETS: dict[str, str] = {}
"""Targets that are written out, by kind; all others are secret."""
OPTIONS = {"token": "env:TOKEN", "secret": "env:TOKEN", "url": "env:URL", "responders": "team:shop"}
REFERENCES = {"slack": "C1:2.3"}
ACCEPTED = Answer(status=202, body=b'{"ok": true, "channel": "C1", "ts": "2.3"}')
AFTER = {"retry-after": "7"}
LATER_HTTP = [Answer(status=status, headers=AFTER) for status in (429, 500, 503)]
NEVER_HTTP = [Answer(status=status, body=b'{"message": "no"}') for status in (301, 400, 401, 404)]
NOTHING = Answer(status=0, fault="no answer in time")


def secrets(reference: str) -> str:
    """What a reference stands for; what is written out is itself."""
    return SECRETS[reference] if reference.startswith("env:") else reference


def options_of(notifier: type[Notifier]) -> dict[str, str]:
    """Every option that a channel takes."""
    return {name: OPTIONS[name] for name in notifier.options}


def well(kind: str) -> Answer:
    """Taken."""
    del kind
    return ACCEPTED


def LATER(kind: str) -> list[Answer]:  # noqa: N802 - a table
    """Trouble that passes: four answers."""
    del kind
    return [NOTHING, *LATER_HTTP]


def NEVER(kind: str) -> list[Answer]:  # noqa: N802 - a table
    """Refusals: four answers."""
    del kind
    return NEVER_HTTP
