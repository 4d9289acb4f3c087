"""What to say of a dependency: what it does, to how many calls, by which errors, since when."""

from msgspec import structs

from detectors.contrast import ERROR_TYPE, top
from detectors.dependencies.dependency_streams import STRICTER, Streams
from detectors.dependencies.open_calls import Place
from detectors.detector import Finding
from detectors.failures.failure_finding import Words, described
from detectors.failures.failure_stream import FAILED, RETRIED, FailureStream
from detectors.failures.gauge import Hold, Terms
from detectors.saying import clock, out_of

FAILING = Words("failing", "calls", "failed")
LIMITED = Words("rate_limited", "calls", "were rate-limited", RETRIED, "ratio")
HANGING = Words("hanging", "calls", "did not end", FAILED, "ratio")
SLOW = Words("slow", "calls", "took", RETRIED, "ratio")
UNSEEN = Words("unseen", "sessions", "ended well though a required call failed", FAILED, "ratio")


def findings_of(place: Place, streams: Streams, terms: Terms, now: float) -> list[Finding]:
    """Everything that holds of one dependency."""
    told: list[tuple[FailureStream, Hold | None, Words]] = [
        (streams.answers, streams.answers.failed.hold, FAILING),
        (streams.answers, streams.answers.retrying.hold, LIMITED),
        (streams.waits, streams.waits.failed.hold, HANGING),
        (streams.waits, streams.waits.retrying.hold, SLOW),
    ]
    if streams.unseen is not None:
        told.append((streams.unseen, streams.unseen.failed.hold, UNSEEN))
    return [
        _told(place, described(stream, hold, now, terms, words), (hold, words), streams, now)
        for stream, hold, words in told
        if hold is not None
    ]


def _told(place: Place, found: Finding, what: tuple[Hold, Words], streams: Streams, now: float) -> Finding:
    """The finding in words that are the dependency's; pairs of windows say nothing of it."""
    # Calls that take long have no error of their own.
    untold = {place[0], ERROR_TYPE} if what[1] in (HANGING, SLOW) else {place[0]}
    # A burn rate is told of the objective's own budget.
    share = STRICTER if what[1] is FAILING else 1.0
    return structs.replace(
        found,
        labels={"dependency": place[1], "kind": place[0]},
        summary=_summary(place, found, what, streams, now),
        contributors=tuple(each for each in found.contributors if each.dimension not in untold),
        magnitude=round((found.magnitude or 0.0) * share, 2),
        burn_rates={},
        exhausted_in_s=None,
    )


def _summary(place: Place, found: Finding, what: tuple[Hold, Words], streams: Streams, now: float) -> str:
    """One sentence: `tool payments.refund fails: 7 of 9 calls since 10:02 UTC …`."""
    hold, words = what
    since = f"since {clock(hold.onset, now)}"
    usually = "" if found.baseline is None else f" (usually {found.baseline:.1%})"
    types = top(hold.affected.tally.by.get(ERROR_TYPE, {}), 3)
    why = ", ".join(f"{value} ({weight:.0f})" for value, weight in types)
    calls, sessions = (out_of(hold.bad, hold.total, noun) for noun in ("call", "session"))
    who = f"{place[0]} {place[1]}"
    if words is FAILING:
        return f"{who} fails: {calls} {since}{usually}: {why}"
    if words is LIMITED:
        return f"{who} limits the rate: {calls} refused {since}{usually}: {why}"
    if words is HANGING:
        return f"{who} does not answer: {calls} {since} did not end in {streams.hanging_s:.0f} s{usually}"
    if words is SLOW:
        return f"{who} is slow: {calls} {since} took over {streams.slow_s:.3g} s{usually}"
    so = "ended well though a required call failed"
    return f"failures of {who} go unseen: {sessions} {since} {so}: {why}"
