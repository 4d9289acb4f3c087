"""States of an earlier version, which named channels by kind and target alone, whatever their options said.

What was told under such a name is the channel's that had it last.
"""

from collections.abc import Mapping, Sequence

from routing.addressing import channel_key
from routing.incidents.digests import digest_key
from routing.incidents.folding import CHANNEL
from routing.incidents.incident import Case, Sent, Withheld
from routing.incidents.rationing import entry_of, storm_timer
from routing.incidents.state import Core
from schemas.page import Channel

Names = dict[str, str]
"""New ones, by those before."""


def name_anew(core: Core, cases: Sequence[Case]) -> None:
    """Names channels by what their options say too; a state that does so already stays as it is."""
    pages = {page: sent for case in cases for page, sent in case.pages.items()}
    digests = _digests(core)
    for case in cases:
        case.digests = tuple(digests.get(each, each) for each in case.digests)
        if not case.drill:  # a drill's pages go to its room, whatever they would have gone to
            _case(case, pages)
    for name, known in tuple(core.budgets.items()):
        last = pages.get(known.pages[-1].page) if known.pages else None
        if last is not None and last.budget.startswith(CHANNEL) and last.budget != name:
            core.budgets[last.budget] = core.budgets.pop(name)


def _digests(core: Core) -> Names:
    names = {key: digest_key(each.receiver, each.channel) for key, each in core.digests.items()}
    core.digests = {names[key]: each for key, each in core.digests.items()}
    return names


def _case(case: Case, pages: Mapping[str, Sent]) -> None:
    names: Names = {}
    for sent in case.pages.values():
        _name(names, sent, sent.channel)
    for held in tuple(case.withheld.values()):
        _held(case, names, held)
    for folded in case.folded.values():
        lead = pages.get(folded.page)
        before = folded.target
        folded.target = _new(folded.target, lead.channel) if lead else folded.target
        names[before] = folded.target
    case.told = {names.get(key, key): told for key, told in case.told.items()}


def _held(case: Case, names: Names, held: Withheld) -> None:
    """A page that waits, and the timer for which it does."""
    before = held.budget
    del case.withheld[entry_of(held.target, held.to)]
    _name(names, held, held.channels[0])
    case.withheld[entry_of(held.target, held.to)] = held
    due = case.timers.pop(storm_timer(before), None) if held.budget != before else None
    if due is not None:
        case.timers[storm_timer(held.budget)] = due


def _name(names: Names, page: Sent | Withheld, channel: Channel) -> None:
    before = page.target
    page.target = _new(before, channel)
    names[before] = page.target
    head, _, band = page.budget.rpartition("\n")
    if head.startswith(CHANNEL):
        page.budget = f"{CHANNEL}{_new(head.removeprefix(CHANNEL), channel)}\n{band}"


def _new(name: str, channel: Channel) -> str:
    return channel_key(channel) if name == f"{channel.kind}:{channel.target}" else name
