"""More pages than are kept: what is dropped leaves no alert open, and nobody's only one goes."""

import pytest

from routing.incidents.paging import PAGE_CAP
from schemas.page import Page
from tests.routing.pager_duty import Service
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, ONE_CHANNEL, Scenario, busy, says_nothing

ROUNDS = ESCALATED.replace("[slack, pagerduty], wait: 5m", "[pagerduty], wait: 1m")
ROUNDS = ROUNDS.replace("wait: 10m", "wait: 1m").replace("ack_timeout: 30m", "repeat: 70")
ROUNDS = ROUNDS.replace("users: [ana, bo]}]", "users: [bo]}]\n    overrides: [%s]") + (
    "limits: {pages_per_person: unlimited}\n"
)
ROUNDS %= "{user: ana, start: '2026-01-05T08:00', end: '2026-01-05T09:01'}"
EVERY = "{pagerduty: 'env:PD%s'}"


def many(count, template=EVERY):
    """As many channels, told at once."""
    return ONE_CHANNEL.replace("{slack: '#oncall'}", ", ".join(template % n for n in range(count))).replace(
        "group_wait: 10s", "group_wait: 0s"
    )


def services(t):
    """What PagerDuty has, by account."""
    found = {}

    def answer(message):
        return found.setdefault(message.channel.target, Service())(message)

    t.answers["pagerduty"] = answer
    return found


def still_open(found):
    return [key for each in found.values() for key in each.open]


def rung_again(found):
    return sum(len(each.rang) - len({key for _, key in each.rang}) for each in found.values())


def test_the_only_alert_of_somebody_outlasts_any_number_of_later_pages_to_others():
    t = Scenario(ROUNDS)
    found = services(t)
    t.signal()
    t.fast_forward(150 * MINUTE)
    assert [page.to for page in t.pages].count("ana") == 1
    assert t.router.counts["pages dropped at the cap"] > 0
    assert len(found["env:PD_ANA"].open) == len(found["env:PD_BO"].open) == 1
    t.recover()
    assert still_open(found) == []
    assert rung_again(found) == 0


def test_an_alert_whose_replacement_could_not_close_it_is_closed_before_it_is_forgotten():
    t = Scenario(ROUNDS)
    found = services(t)

    def leaves_the_one_before(message):
        service = found.setdefault(message.channel.target, Service())
        if isinstance(message, Page):
            return service(
                Page(**{**{n: getattr(message, n) for n in Page.__struct_fields__}, "replaces": ""})
            )
        return service(message)

    t.answers["pagerduty"] = leaves_the_one_before
    t.signal()
    t.fast_forward(100 * MINUTE)
    assert len(still_open(found)) > 1
    t.fast_forward(90 * MINUTE)
    t.recover()
    assert still_open(found) == []
    assert rung_again(found) == 0


def test_the_oldest_alert_is_closed_where_each_is_somebody_s_only_one():
    t = Scenario(many(PAGE_CAP + 2))
    found = services(t)
    t.signal()
    assert len(still_open(found)) == PAGE_CAP
    assert [target for _, target, _ in t.updated] == ["env:PD0", "env:PD1"]
    t.recover()
    assert still_open(found) == []


def test_an_alert_that_is_shared_is_left_to_who_still_has_it():
    both = ESCALATED.replace("env:PD_BO", "env:PD_ANA").replace("[slack, pagerduty]", "[pagerduty]")
    rooms = ", ".join(f"{{slack: '#c{n}'}}" for n in range(PAGE_CAP - 1))
    both = both.replace("[schedule: payments]", f"[user: ana, user: bo, {rooms}]")
    t = Scenario(both)
    found = services(t)
    t.signal()
    assert t.router.counts["pages dropped at the cap"] == 1
    assert len(still_open(found)) == 1
    t.recover()
    assert still_open(found) == []


@pytest.mark.parametrize("answer", [busy, says_nothing])
def test_what_did_not_arrive_goes_before_what_did(answer):
    text = many(1, "{slack: '#dead'}, {slack: '#alive%s'}").replace(
        "repeat_interval: 4h", "repeat_interval: 2m"
    )
    t = Scenario(text)
    t.signal()
    t.answers["#dead"] = answer
    t.fast_forward(3 * HOUR)
    kept = t.router._state.cases[t.incident.id].pages.values()
    assert t.pages[0].id in {each.id for each in kept}
    assert len(kept) == PAGE_CAP


def test_an_alert_that_arrives_late_after_its_successor_was_dropped_is_closed():
    t = Scenario(ROUNDS)
    found = services(t)
    held = []
    t.fast_forward(2 * MINUTE)
    t.answers["env:PD_BO"] = held.append
    t.signal()
    del t.answers["env:PD_BO"]
    t.fast_forward(200 * MINUTE)
    for message in held:
        t.report(message, found["env:PD_BO"](message))
    t.recover()
    assert still_open(found) == []
