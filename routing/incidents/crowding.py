"""Which page makes room where an incident has as many as are kept."""

from routing.addressing import channel_key
from routing.incidents.alerts import KEYED, may_be_there
from routing.incidents.incident import Case, Sent


def least_needed(case: Case) -> Sent:
    """The page that is missed least, the oldest among equals.

    First one that is over and of which nothing is left to end, then one after which its recipient got
    another, then any that is settled: the only page of somebody goes late.
    """
    outlived = _outlived(case)

    def need(sent: Sent) -> int:
        if sent.settled and not rings_on(sent) and (sent.id in outlived or sent.state != "delivered"):
            return 0
        if sent.id in outlived:
            return 1
        return 2 if sent.settled else 3

    return min(case.pages.values(), key=need)


def to_close(case: Case) -> Sent | None:
    """The oldest alert that is still there after its recipient got another."""
    outlived = _outlived(case)
    return next((each for each in case.pages.values() if each.id in outlived and _is_there(each)), None)


def rings_on(sent: Sent) -> bool:
    """Whether a page has, or may come to have, an alert that nobody told to close."""
    return sent.channel.kind in KEYED and not sent.closed and (sent.state != "dead" or may_be_there(sent))


def shares(case: Case, sent: Sent) -> bool:
    """Whether another page is kept under the same key of the same account."""
    return any(
        each is not sent and each.channel == sent.channel and each.alert == sent.alert
        for each in case.pages.values()
    )


def _is_there(sent: Sent) -> bool:
    return rings_on(sent) and (sent.state == "delivered" or may_be_there(sent))


def _outlived(case: Case) -> set[str]:
    """Ids of pages after which the same recipient got another or, of those that did not arrive, was sent one.

    A page that speaks for several incidents stands for itself.
    """
    found: set[str] = set()
    sent_to: set[tuple[str, str, str]] = set()
    arrived: set[tuple[str, str, str]] = set()
    for sent in [each for each in reversed(case.pages.values()) if not each.speaks]:
        who = (sent.to, sent.target, channel_key(sent.channel))
        if who in (arrived if sent.state == "delivered" else sent_to):
            found.add(sent.id)
        sent_to.add(who)
        if sent.state == "delivered":
            arrived.add(who)
    return found
