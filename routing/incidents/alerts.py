"""Alerts: channels that wake people keep a page as an alert, by its key; an open key wakes nobody again.

So the first page of an incident has the incident's id as its key, a later one to the same account a key of
its own, and it takes the place of the alert that the same channel had before. Options belong to the channel:
whom another option names has another alert. A page that speaks for several incidents is an alert by itself:
nothing takes its place, and its end is no other's.
"""

from itertools import takewhile

from routing.incidents.incident import Case, Sent

KEYED = frozenset({"opsgenie", "pagerduty"})
"""Channels that keep alerts."""


def give_key(case: Case, sent: Sent) -> None:
    """Says under which key a page is kept that is about to be sent, and which alert it takes the place of."""
    if sent.channel.kind not in KEYED:
        return
    if sent.speaks:
        sent.alert = storm_key(case.id, sent.id)
        return
    earlier = [each for each in reversed(case.pages.values()) if _account(each) == _account(sent)]
    # A page for several without a key of its own is one of an earlier version: the incident's id is its key.
    single = (each for each in earlier if not (each.speaks and each.alert))
    before = next((each for each in single if each.channel == sent.channel and not is_gone(each)), None)
    if before is not None and _is_together(before, sent):
        sent.alert, sent.replaces = before.alert, before.replaces
        return
    if before is not None:
        sent.replaces = before.alert or case.id
    if before is not None or not all(each.alert for each in earlier):
        sent.alert = f"{case.id}.{sent.id}"


def storm_key(case_id: str, page_id: str) -> str:
    """The key of a page that speaks for several incidents: it tells its first one, and is no other page's."""
    return f"{case_id}.{page_id.replace('page-', 'storm-', 1)}"


def is_shut(case: Case, sent: Sent) -> bool:
    """Whether a page's alert was closed, or a later page takes its place: an edit would wake somebody."""
    return sent.closed or not all(map(is_gone, replacing(case, sent)))


def is_gone(sent: Sent) -> bool:
    """Whether a page did not get through, for sure: it has no alert, and closed no other's."""
    return sent.state in ("dead", "withdrawn") and not sent.unheard and not may_be_there(sent)


def stands_in(case: Case, sent: Sent) -> list[Sent]:
    """The pages of before that are all their recipients have, now that this one did not get through."""
    who = (sent.to, sent.target, sent.channel)
    return [
        each
        for each in takewhile(lambda each: each is not sent, case.pages.values())
        if each.state == "delivered"
        and (sent in replacing(case, each) or (each.to, each.target, each.channel) == who)
    ]


def is_replaced(case: Case, sent: Sent) -> bool:
    """Whether a later page that arrived took the place of this one's alert, or of one that was to."""
    return any(each.state == "delivered" for each in _successors(case, sent))


def may_be_replaced(case: Case, sent: Sent) -> bool:
    """Whether a later page that takes the place of this one's alert is on its way.

    It may have arrived unheard and closed this one's alert: what would say that again would ring again.
    """
    return any(each.state in ("waiting", "deferred") for each in _successors(case, sent))


def may_be_there(sent: Sent) -> bool:
    """Whether an alert may be open of a page that counts as not delivered: an answer may have been lost.

    Only the first refusal says that there is none. To close one that does not exist does no harm.
    """
    gone = sent.state == "withdrawn" or (sent.state == "dead" and sent.attempt > 1)
    return gone and sent.channel.kind in KEYED


def replacing(case: Case, sent: Sent) -> list[Sent]:
    """Later pages that take the place of a page's alert, or are to."""
    if sent.channel.kind not in KEYED:
        return []
    key = sent.alert or case.id
    return [each for each in case.pages.values() if each.replaces == key and each.channel == sent.channel]


def _successors(case: Case, sent: Sent) -> list[Sent]:
    """Pages that take the place of a page's alert, of theirs, and so on."""
    keys, found = {sent.alert or case.id}, []
    for each in case.pages.values():
        if each.channel == sent.channel and each.replaces in keys:
            keys.add(each.alert)
            found.append(each)
    return found


def _account(sent: Sent) -> tuple[str, str]:
    """Where a key means one alert, whoever of those behind it is notified."""
    return (sent.channel.kind, sent.channel.target)


def _is_together(before: Sent, sent: Sent) -> bool:
    """Several people behind one channel are paged once, not each for the other.

    Clocks that disagree hold the time: at one instant somebody may take an incident, or be handed it.
    """
    if before.target == sent.target and before.sequence != sent.sequence:
        return False
    if (before.target, before.step) == (sent.target, sent.step):
        return True
    same = (before.at, before.takes) == (sent.at, sent.takes)
    return same and "reassigned" not in (before.reason, sent.reason)
