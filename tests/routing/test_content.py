import msgspec
from hypothesis import given
from hypothesis import strategies as st

from routing.content import BODY, TITLE, after_fault, built_in, links, title, variables, worded
from schemas.deed import Deed
from schemas.page import Content
from schemas.signal import Blast, Contributor, Sample, Signal
from tests.fakes import BODY as GOLDEN
from tests.fakes import CONTENT, NOW, SIGNAL, TRACE, content, page, update

BARE = Content(
    title="",
    severity="info",
    score=0,
    score_parts=(),
    status="triggered",
    since=NOW,
    labels={},
    signals=(),
    firing=0,
    resolved=0,
)


def signal(**changes) -> Signal:
    return msgspec.structs.replace(SIGNAL, **changes)


def fact(label: str, **changes) -> str:
    facts = {each.label: each.text for each in built_in(page(content=content(**changes))).facts}
    return facts.get(label, "")


def test_the_rich_page_reads_as_agreed():
    rendered = built_in(page())
    assert rendered.title == "CRITICAL: retail: 35 of 35 sessions fail"
    assert rendered.body == GOLDEN


def test_a_page_that_knows_nothing_still_says_what_and_since_when():
    rendered = built_in(page(content=BARE))
    assert rendered.title == "INFO: retail fails"
    assert rendered.body == "Since: 0 s (2026-02-22 11:44:30 UTC)\nWhy info: score 0 of 100"


def test_what_the_title_does_not_hold_is_said_in_the_body():
    assert fact("What", title=SIGNAL.summary) == ""
    assert fact("What", title="something else") == SIGNAL.summary
    long = signal(summary="x" * 200)
    assert fact("What", title=long.summary, signals=(long,)) == long.summary


def test_an_acknowledged_page_says_by_whom():
    assert title(update(page(), "acknowledged")).startswith("ACKNOWLEDGED: retail")
    assert fact("Status", status="acknowledged", acknowledged_by="bo") == "acknowledged by bo"
    assert fact("Status", status="acknowledged") == "acknowledged by somebody"


def test_what_people_did_last_is_said_with_when_and_how():
    taken = Deed(at=NOW, by="ana", did="acknowledged", via="slack")
    said = Deed(at=NOW, by="bo\n", did="commented", note="restarting\nit")
    assert fact("Done", deeds=(taken, said)) == (
        "2026-02-22 11:44:30 UTC ana acknowledged by slack\n"
        "2026-02-22 11:44:30 UTC bo commented: restarting it"
    )


def test_a_resolved_page_says_why_it_is_over():
    over = (
        signal(state="resolved", reason="recovered"),
        signal(id="sig-2", reason="stale"),
        signal(id="sig-3"),
    )
    assert fact("Status", status="resolved", signals=over) == "resolved (recovered, stale)"
    assert fact("Status", status="resolved") == "resolved"


def test_numbers_that_are_not_known_are_left_out():
    assert fact("Observed", signals=(signal(observed=None),)) == ""
    plain = signal(baseline=None, magnitude=None, burn_rates={}, unit="USD", observed=12.0)
    assert fact("Observed", signals=(plain,)) == "12 USD"


def test_the_magnitude_is_told_in_its_own_words():
    def told(**changes):
        return fact("Observed", signals=(signal(burn_rates={}, baseline=None, magnitude=3.0, **changes),))

    assert told(magnitude_unit="ratio") == "100 % (3 times)"
    assert told(magnitude_unit="sigma") == "100 % (3 sigma)"
    assert told(magnitude_unit="") == "100 %"


def test_when_the_error_budget_is_gone_is_told_with_what_is_observed():
    def told(left_s):
        plain = signal(burn_rates={}, baseline=None, magnitude=None, exhausted_in_s=left_s)
        return fact("Observed", signals=(plain,))

    assert told(18_000.0) == "100 % · 3-day budget gone in 5 h"
    assert told(0.0) == "100 % · 3-day budget spent"


def test_a_capped_count_reads_at_least():
    assert fact("Affected", signals=(signal(blast=Blast(sessions=1, share=0.5)),)) == "1 session; 50 % of all"
    assert fact("Affected", signals=(signal(blast=Blast(capped=True)),)) == ""


def test_the_other_signals_are_named_and_counted():
    others = tuple(signal(id=f"sig-{n}", summary=f"number {n}") for n in range(6))
    assert fact("Also", signals=others) == "number 1\nnumber 2\nnumber 3\nand 2 more"


def test_only_web_addresses_are_links():
    samples = (
        Sample(event="e", time=NOW, trace="javascript:alert(1)"),
        Sample(event="e", time=NOW, trace=TRACE),
    )
    message = page(
        content=content(signals=(signal(samples=samples),), runbook="see wiki", dashboard="http://a b")
    )
    assert [(link.name, link.url) for link in links(message)] == [("trace", TRACE)]


def test_a_template_may_name_what_the_page_knows():
    known = variables(page())
    assert known["n"] == 1
    assert known["labels"]["agent"] == "retail"
    assert known["severity"] == "critical"
    assert known["score_why"].startswith("score 100 of 100: burn rate")
    assert known["summary"] == SIGNAL.summary
    assert known["links"] == {"trace": TRACE, "runbook": CONTENT.runbook, "dashboard": CONTENT.dashboard}
    assert known["signals"][0]["observed"] == 1.0
    assert "template" not in known
    assert known["to"] == "ana"


def test_the_first_trace_is_the_one_that_is_linked():
    samples = (
        Sample(event="e", time=NOW, trace=f"{TRACE}/1"),
        Sample(event="e", time=NOW, trace=f"{TRACE}/2"),
    )
    assert (
        variables(page(content=content(signals=(signal(samples=samples),))))["links"]["trace"] == f"{TRACE}/1"
    )


def test_a_teams_own_words_are_the_body():
    rendered = worded(page(), "two\x00 lines\n\n\n\nof mine")
    assert rendered.title == built_in(page()).title
    assert rendered.body == "two lines\n\nof mine"
    assert rendered.facts == ()


def test_a_failed_template_gives_the_built_in_text_and_the_reason():
    rendered = after_fault(page(), "line 2: 'x' is undefined")
    assert rendered.body == f"{GOLDEN}\nNote: the team's message template failed: line 2: 'x' is undefined"
    assert rendered.facts[-1].label == "Note"


def test_the_reason_survives_where_the_text_is_cut():
    long = content(signals=tuple(signal(summary="x" * 300, changes=("y" * 300,) * 3) for _ in range(9)))
    long = msgspec.structs.replace(long, related=("z" * 300,) * 9, next_step="n" * 300, runbook="r" * 999)
    rendered = after_fault(page(content=long), "boom")
    assert len(rendered.body) <= BODY
    assert rendered.body.endswith("failed: boom")


def test_of_many_labels_the_first_are_shown_and_the_rest_are_counted():
    many = {f"label_{n:02d}": "x" for n in range(20)}
    assert fact("Where", labels=many).endswith("label_11 x, and 8 more")
    assert "more" not in fact("Where", labels={name: many[name] for name in list(many)[:12]})


def test_the_reasons_of_a_resolution_are_few_and_short():
    over = tuple(signal(id=str(n), reason=f"{n}\n{'x' * 1000}") for n in range(9))
    assert len(fact("Status", status="resolved", signals=over)) < 1000


hostile = st.text(max_size=400) | st.sampled_from(
    ["<!channel>", "[/]", "a\u202eb", "x" * 10_000, "\x00\n\r\n", "{{ 7 }}"]
)


@given(hostile, hostile, hostile, st.dictionaries(hostile, hostile, max_size=50))
def test_whatever_others_write_the_page_stays_short_and_one_line_in_its_title(name, summary, text, labels):
    samples = (Sample(event=text, time=NOW, text=text, trace=name),)
    told = content(
        title=name,
        labels=labels,
        signals=(signal(summary=summary, changes=(text,) * 9, samples=samples, unit=name),) * 9,
        team=name,
        runbook=text,
        next_step=summary,
        related=(text,) * 9,
    )
    rendered = built_in(page(content=told, summary=name))
    assert len(rendered.title) <= TITLE
    assert "\n" not in rendered.title
    assert len(rendered.body) <= BODY
    assert "\x00" not in rendered.body
    assert len(variables(page(content=told))["labels"]) <= 32


@given(st.floats(), st.floats(), st.floats())
def test_no_number_stops_a_page(observed, baseline, magnitude):
    told = signal(
        observed=observed, baseline=baseline, magnitude=magnitude, history=(observed, baseline, magnitude)
    )
    assert built_in(page(content=content(signals=(told,)))).body


def test_what_is_as_frequent_among_the_others_is_not_said_to_stand_out():
    usual = Contributor(dimension="error.type", value="503", share=0.96, lift=0.98)
    assert (
        fact("Stands out", signals=(signal(contributors=(usual,)),)) == "error.type=503: 96 % of the affected"
    )
