"""Which limits the pages of a label set come under: whose, how many, and what becomes of what is beyond."""

from collections.abc import Iterator, Mapping, Sequence

from routing.incidents.folding import GATHER
from routing.policy import Limit, Policy
from routing.rules.foreseen import Foreseen
from routing.words.wording import duration
from schemas.page import Severity
from schemas.signal import DRILL


def rationed(
    policy: Policy, labels: Mapping[str, str], severity: Severity, found: Sequence[Foreseen]
) -> Iterator[str]:
    """One line for each limit, and for what is without one; then what happens beyond them."""
    pages = [each for each in found if each.channels and not each.gathered]
    people = dict.fromkeys(each.to for each in pages if _is_person(policy, each))
    rooms = dict.fromkeys(each.channels[0] for each in pages if not _is_person(policy, each))
    if DRILL in labels:
        yield "pages of a fire drill are neither counted nor held back"
        return
    limits = policy.limits
    held = [limit for names, limit in ((people, limits.person), (rooms, limits.channel)) if names and limit]
    if people:
        yield _line(people, "pages_per_person", limits.person, severity, ", over whatever channel")
    if rooms:
        yield _line(rooms, "pages_per_channel", limits.channel, severity, "")
    if held:
        yield from _beyond(held, severity)


def _is_person(policy: Policy, each: Foreseen) -> bool:
    return bool(each.escalation) and each.to in policy.users


def _line(names: Mapping[str, None], name: str, limit: Limit | None, severity: str, how: str) -> str:
    whose = ", ".join(names)
    if limit is None:
        return f"{whose}: as many as there are ({name}: unlimited)"
    each = " each" if len(names) > 1 else ""
    pages = "page" if limit.count == 1 else "pages"
    per = duration(limit.per)
    return f"{whose}: at most {limit.count} {pages} of severity {severity} in any {per}{each}{how} ({name})"


def _beyond(held: Sequence[Limit], severity: Severity) -> Iterator[str]:
    yield "other severities count by themselves; edits, notices and the next channel of a page do not count"
    if any(limit.count > 1 for limit in held):
        yield f"the last one allowed waits {duration(GATHER)} after the one before, to speak for what comes"
    yield (
        "what is beyond waits: an edit of the last page says so, where its channel can edit, "
        "and one page tells of all that wait as soon as the limit allows it"
    )
    if severity == "critical":
        yield "the first page of a critical incident is not held back, unless what was sent before covers it"
        yield "what is critical climbs on while a page of it waits"
        return
    yield "while it waits the escalation stands still if that person answers, else it climbs in its own time"
