"""A PagerDuty service as its makers say it behaves, fed by the real notifier."""

from datetime import UTC, datetime

import msgspec

from routing.content import built_in
from routing.notifiers.notifier import Answer
from routing.notifiers.pagerduty import PagerDuty
from schemas.outcome import Outcome
from schemas.page import Message
from tests.fakes import driven


class Service:
    """Alerts by key, and which of them rang: a key that is open does not ring again, a resolved one does."""

    def __init__(self) -> None:
        self.alerts: dict[str, str] = {}
        self.rang: list[tuple[datetime, str]] = []

    def __call__(self, message: Message) -> Outcome:
        """Takes what the notifier sends of a message."""
        steps, outcome = driven(
            PagerDuty(), message, built_in(message), lambda name: name, *[Answer(status=202)] * 2
        )
        for step in steps:
            self._take(msgspec.json.decode(step.body), message.time.astimezone(UTC))
        return outcome

    @property
    def open(self) -> list[str]:
        """Keys of the alerts that are not resolved."""
        return [key for key, status in self.alerts.items() if status != "resolve"]

    def _take(self, event: dict[str, str], at: datetime) -> None:
        key, action = event["dedup_key"], event["event_action"]
        is_open = self.alerts.get(key, "resolve") != "resolve"
        if action == "trigger" and not is_open:
            self.rang.append((at, key))
            self.alerts[key] = action
        elif action != "trigger" and is_open:
            self.alerts[key] = action
