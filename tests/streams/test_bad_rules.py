"""Rules that do not hold: the good ones stay, and their owner hears of it."""

from collections.abc import Sequence

import pytest

from routing.router import Router
from schemas.cause import ConfigFile, Configured, Wake
from schemas.page import Page
from schemas.record import Record
from schemas.wire import decode_cause, encode, moment
from streams.hosting.log import Outgoing
from streams.hosting.rulebook import Rulebook, read_rules
from streams.hosting.topics import CAUSES, EVENTS
from streams.replay import BUILT_IN
from tests.memory_log import Disk, MemoryLog
from tests.simulation.owners import HandClock

BAD_RULES = {
    "a tab": ("route:\n\treceiver: a\n", "oversight.yml:2:1: a tab here"),
    "an unknown field": (BUILT_IN.text + "recievers: []\n", 'did you mean "receivers"?'),
    "a dangling receiver": ("route: {receiver: nobody}\nreceivers: [{name: a}]\n", "nobody"),
    "no text": ("\x00", "oversight.yml:1:1"),
    "nothing": ("", "oversight.yml"),
    "a variable that is not set": (BUILT_IN.text.replace("screen", "env:GONE"), "env:GONE is not set"),
}


@pytest.mark.parametrize(("text", "said"), BAD_RULES.values(), ids=list(BAD_RULES))
async def test_bad_rules_never_replace_good_ones_and_the_owner_hears_of_it(tmp_path, text, said):
    path = tmp_path / "oversight.yml"
    path.write_text(BUILT_IN.text)
    disk, clock = Disk(), HandClock()
    good = read_rules(path, {})
    book = Rulebook(path, good, MemoryLog(disk), clock, "wall", variables={})
    await MemoryLog(disk).append(CAUSES, 0, [Outgoing(b"config", encode(_followed(good.files)))])
    path.write_text(text)
    for _ in range(3):
        await book.look()
    assert book.rules == good
    assert disk.records(EVENTS) == []
    (refused,) = [decode_cause(each.value) for each in disk.records(CAUSES)[1:]]
    assert refused.signal.finding == "config_refused"
    assert said in refused.signal.summary
    pages = _paged(disk)
    assert len({page.id for page in pages}) == 1
    assert said[:20] in pages[0].content.signals[0].summary
    path.write_text(BUILT_IN.text)
    await book.look()
    assert decode_cause(disk.records(CAUSES)[-1].value).signal.state == "resolved"


async def test_bad_rules_in_the_log_itself_are_a_dead_letter_and_the_good_ones_page_on():
    router = Router()
    router.apply(Record(0, encode(_followed((BUILT_IN,)))))
    bad = ConfigFile("rules.yml", "route:\n\treceiver: a\n")
    (complaint,) = router.apply(Record(1, encode(_followed((bad,), "bad"))))
    assert complaint.stream == "deadletter"
    assert "rules.yml:2:1: a tab here" in complaint.value.reason
    assert router.digests == ("d",)


def _followed(files: Sequence[ConfigFile], digest: str = "d") -> Configured:
    return Configured(at=moment(0), digest=digest, files=tuple(files))


def _paged(disk: Disk) -> list[Page]:
    """Whom a router that reads the causes pages, up to an hour after them."""
    router, outputs = Router(), []
    for record in disk.records(CAUSES):
        outputs += router.apply(record)
    last = len(disk.records(CAUSES))
    outputs += router.apply(Record(last, encode(Wake(at=moment(HandClock().at_s + 300)))))
    return [each.value for each in outputs if isinstance(each.value, Page)]
