"""Why nobody is paged of a fire drill, as far as the rules say it: to find that out is what it is for."""

from routing.incidents.grid import FLUSH
from routing.incidents.incident import Case
from routing.incidents.turn import Turn
from routing.oncall.responders import chosen, responders
from routing.policy import ChannelTarget, EscalationTarget


def unpaged(turn: Turn, case: Case) -> str:
    """In a few words; empty for what is real, where somebody was paged, and where nothing is in the way.

    What mutes an incident is told apart.
    """
    if not case.drill or case.paged or not case.open:
        return ""
    receiver = turn.policy.receivers.get(case.receiver)
    silent = [_silent(turn, case, each) for each in receiver.notify] if receiver else []
    if all(silent):
        return "; ".join(dict.fromkeys(silent)) or f"receiver {case.receiver} notifies nobody"
    due = case.timers.get(FLUSH)
    if due is None or case.grid is not None:
        return ""
    return f"its route lets it wait until {due:%H:%M:%S} UTC (group_wait)"


def _silent(turn: Turn, case: Case, target: ChannelTarget | EscalationTarget) -> str:
    """Why a target of the receiver is not paged at once, or empty."""
    if isinstance(target, ChannelTarget):
        return f"receiver {case.receiver} tells of it in a digest" if target.digest else ""
    labels = {**case.worst().labels, **case.labels} if case.firing() else case.labels
    escalation = chosen(target, labels, turn.policy)
    if escalation is None:
        return f"receiver {case.receiver} finds no escalation for team {case.team or '(none)'}"
    if any(responders(step, turn.policy, turn.now, case.severity) for step in escalation.steps):
        return ""
    return f"escalation {escalation.name} reaches nobody at this time"
