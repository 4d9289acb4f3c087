"""Secrets: `env:NAME` stands for a variable of the environment. Values are never logged, rendered or kept."""

from collections.abc import Mapping, Sequence

from msgspec import structs

from routing.notifiers.notifier import Secrets
from routing.rules.faults import Fault
from routing.rules.literals import Variable
from schemas.outcome import Deferred, Delivered, Outcome, Undeliverable

PREFIX = "env:"
HIDDEN = "[hidden]"
SHORTEST = 4
"""A value shorter than this hides nothing, and blotting it out would garble every reason."""


class Unset(KeyError):  # noqa: N818 - what the variable is
    """A variable that is not set, or empty; its only argument is the name."""


def unset(named: Sequence[Variable], variables: Mapping[str, str]) -> Sequence[Fault]:
    """Variables that a configuration refers to and that are not set, each where it is first named."""
    first = {each.name: each for each in reversed(named) if not variables.get(each.name)}
    return [first[name].place.fault(f"env:{name} is not set here") for name in sorted(first)]


def environment(variables: Mapping[str, str]) -> Secrets:
    """Resolves against these variables (`os.environ` in the worker), read anew each time.

    >>> environment({"TOKEN": "x"})("env:TOKEN"), environment({})("#triage")
    ('x', '#triage')
    """

    def resolved(reference: str) -> str:
        if not reference.startswith(PREFIX):
            return reference
        name = reference.removeprefix(PREFIX)
        value = variables.get(name, "")
        if not value:
            raise Unset(name)
        return value

    return resolved


class Told:
    """Resolves for one attempt and remembers which values it told, to blot them out of what comes back."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._values: set[str] = set()

    def __call__(self, reference: str) -> str:
        """The value; raises `Unset` where there is none, whatever the resolver raises."""
        try:
            value = self._secrets(reference)
        except KeyError:
            raise Unset(reference.removeprefix(PREFIX)) from None
        if value != reference and len(value) >= SHORTEST:
            self._values.add(value)
        return value

    def __repr__(self) -> str:
        return f"Told({len(self._values)} values)"

    def hidden(self, outcome: Outcome) -> Outcome:
        """The outcome with every told value blotted out of its reason.

        A reference stays as it is: later edits need it, and a channel's id may come from a variable too.
        """
        match outcome:
            case Delivered():
                return outcome
            case Deferred(reason=reason) | Undeliverable(reason=reason):
                return structs.replace(outcome, reason=self.blotted(reason))

    def blotted(self, text: str) -> str:
        """The text with every told value blotted out."""
        for value in sorted(self._values, key=lambda value: (-len(value), value)):
            text = text.replace(value, HIDDEN)
        return text
