"""What a configuration may say and is checked, but nothing acts on yet."""

from collections.abc import Iterator

from routing.policy import Policy, Receiver


def not_yet(policy: Policy) -> list[str]:
    """What is written and not yet acted on, in words of the configuration."""
    return list(_pending(policy))


def _pending(policy: Policy) -> Iterator[str]:
    yield from policy.kept
    for receiver in policy.receivers.values():
        yield from _of_receiver(receiver)


def _of_receiver(receiver: Receiver) -> Iterator[str]:
    for name in receiver.integrations:
        yield f"{name} of receiver {receiver.name}: kept for projection"
