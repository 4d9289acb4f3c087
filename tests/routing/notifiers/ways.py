"""What the laws must know of each channel: an answer that is well, answers for later, answers for never."""

from routing.notifiers.notifier import Answer, Notifier

TARGET = "https://sink.example/TARGET-SECRET"
SECRETS = {
    "env:TARGET": TARGET,
    "env:TOKEN": "TOKEN-SECRET",
    "env:URL": "https://sink.example/URL-SECRET",
    "env:LOGIN": "LOGIN-SECRET",
    "env:SENDER": "oversight@example.com",
    "env:SLACK_BOT_TOKEN": "BOT-SECRET",
    "env:OVERSIGHT_LINK_SECRET": "LINK-TOKEN-SECRET",
    "env:OVERSIGHT_LINK_URL": "https://pager.example",
}
TARGETS = {"email": "ana@example.com, bo@example.com"}
"""Targets that are written out, by kind; all others are secret."""
OPTIONS = {
    "chart": "thread",
    "from": "env:SENDER",
    "password": "env:TOKEN",
    "responders": "team:shop",
    "secret": "env:TOKEN",
    "security": "tls",
    "server": "mail.example:465",
    "token": "env:TOKEN",
    "url": "env:URL",
    "username": "env:LOGIN",
}
REFERENCES = {"slack": "C1:2.3", "email": "<pag-1@example.com> CRITICAL: retail: 35 of 35 sessions fail"}
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
    return Answer(status=250, body=b"2.0.0 queued") if kind == "email" else ACCEPTED


def LATER(kind: str) -> list[Answer]:  # noqa: N802 - a table
    """Trouble that passes: four answers."""
    smtp = [Answer(status=status, body=b"try again") for status in (421, 450, 451)]
    return [NOTHING, *(smtp if kind == "email" else LATER_HTTP)]


def NEVER(kind: str) -> list[Answer]:  # noqa: N802 - a table
    """Refusals: four answers."""
    smtp = [Answer(status=status, body=b"no such user") for status in (535, 550, 552, 554)]
    return smtp if kind == "email" else NEVER_HTTP
