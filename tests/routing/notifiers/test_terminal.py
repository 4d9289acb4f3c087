from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from routing.content import built_in, worded
from routing.notifiers.terminal import Terminal
from schemas.outcome import Delivered
from tests.fakes import content, driven, page, update


def seen(message, rendered=None) -> str:
    (printed,), outcome = driven(Terminal(), message, rendered or built_in(message), {}.__getitem__, None)
    assert outcome == Delivered(reference=message.id)
    console = Console(file=StringIO(), width=200, force_terminal=False)
    console.print(printed.markup, emoji=False)
    return console.file.getvalue()


def test_the_rich_page_on_a_terminal():
    assert (
        seen(page("terminal"))
        == """\
▌ CRITICAL: retail: 35 of 35 sessions fail
▌ What         All 35 sessions of retail end in an error: customers get no answer
▌ Where        env prod
▌ Since        5 min (2026-02-22 11:39:30 UTC)
▌ Observed     100 % against 2.1 % (burning 72.4 times too fast) · budget burnt at 14.9 over 1h, 72.4 over 5m
▌ Trend        rising ▁▁▁▁▄█
▌ Affected     at least 35 sessions, 31 users, 3 tenants; 100 % of all
▌ Stands out   request.model=gpt-4o: 100 % of the affected, 3.2 times as often as in the others
▌              error.type=RateLimitError: 94 % of the affected, 41 times as often as in the others
▌ Changed      2026-02-22 11:40 UTC deploy retail 2.1 (was 2.0)
▌ Related      inc-7: provider down, 2 min ago
▌ Samples      2026-02-22 11:44:10 UTC “Error code: 429 for <email>” · trace https://traces.example/t/4bf92f
▌              2026-02-22 11:44:20 UTC “retail/e-2” · trace 0af7651916cd43dd
▌ Why critical score 100 of 100: burn rate 14.4 over 1h and 5m +90, env="prod" +15
▌ Next         Roll 2.1 back, or move traffic to another provider
▌ Runbook      https://runbooks.example/retail?a=1&b=2
▌ Dashboard    https://dash.example/retail
▌ Team         shop
▌ page to ana · opened · inc-1
"""
    )


def test_a_resolution_is_green_and_no_page():
    message = update(page("terminal"), reference="pag-1")
    (printed,), _ = driven(Terminal(), message, built_in(message), {}.__getitem__, None)
    assert printed.markup.startswith("[bold green]▌")
    assert "update to ana · resolved · inc-1" in seen(message)


def test_a_teams_own_words_are_shown_line_by_line():
    message = page("terminal")
    assert "▌ one\n▌ two [bold]three\n" in seen(message, worded(message, "one\ntwo [bold]three"))


@given(st.text(alphabet="[]/\\ boldred=x!:\"'", max_size=40))
def test_markup_of_others_is_shown_and_not_followed(text):
    title = f"<{text}>"
    shown = seen(page("terminal", content=content(title=title)))
    assert " ".join(title.split()) in shown.replace("\u200b", "")
