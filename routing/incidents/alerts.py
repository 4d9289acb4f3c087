"""Alerts: channels that wake people keep a page as an alert, by its key; an open key wakes nobody again.

So the first page of an incident has the incident's id as its key, a later one over the same channel a key of
its own, and it takes the place of the alert before it. A page that speaks for several incidents is an alert
by itself: nothing takes its place, and its end is no other's.
"""

from routing.incidents.incident import Case, Sent, channel_key

KEYED = frozenset({"opsgenie", "pagerduty"})
"""Channels that keep alerts."""


def give_key(case: Case, sent: Sent) -> None:
    """Says under which key a page is kept that is about to be sent, and which alert it takes the place of."""
    if sent.channel.kind not in KEYED:
        return
    if sent.speaks:
        sent.alert = storm_key(case.id, sent.id)
        return
    where = channel_key(sent.channel)
    earlier = (each for each in reversed(case.pages.values()) if not each.speaks)
    before = next((each for each in earlier if channel_key(each.channel) == where), None)
    if before is not None and _is_together(before, sent):
        sent.alert, sent.replaces = before.alert, before.replaces
    elif before is not None:
        sent.alert, sent.replaces = f"{case.id}.{sent.id}", before.alert or case.id


def storm_key(case_id: str, page_id: str) -> str:
    """The key of a page that speaks for several incidents: it tells its first one, and is no other page's."""
    return f"{case_id}.{page_id.replace('page-', 'storm-', 1)}"


def is_replaced(case: Case, sent: Sent) -> bool:
    """Whether a later page took the place of this one's alert: to trigger that again would wake somebody."""
    if sent.channel.kind not in KEYED:
        return False
    where, key = channel_key(sent.channel), sent.alert or case.id
    later = (each for each in case.pages.values() if channel_key(each.channel) == where)
    return any(each.replaces == key for each in later)


def _is_together(before: Sent, sent: Sent) -> bool:
    """Several people behind one channel are paged once, not each for the other."""
    place = (before.target, before.step, before.sequence)
    return before.at == sent.at or place == (sent.target, sent.step, sent.sequence)
