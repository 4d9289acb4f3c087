import pytest

from routing.content import built_in
from routing.notifiers.apprise import Apprise
from routing.notifiers.notifier import Answer
from schemas.outcome import Deferred, Delivered, Undeliverable
from tests.fakes import BODY, driven, page, update

SECRETS = {"env:TELEGRAM": "tgram://TOKEN/chat"}.__getitem__
SENT = Answer(status=200)


def attempt(message, *answers: Answer):
    return driven(Apprise(), message, built_in(message), SECRETS, *answers)


def test_a_page_is_handed_over_as_text_that_ends_with_its_id():
    (step,), outcome = attempt(page("apprise", "env:TELEGRAM"), SENT)
    assert step.address == "tgram://TOKEN/chat"
    assert step.title == "CRITICAL: retail: 35 of 35 sessions fail"
    assert step.body == f"{BODY}\n\ninc-1 · to ana · opened · pag-1"
    assert step.tone == "failure"
    assert "TOKEN" not in repr(step)
    assert outcome == Delivered(reference="pag-1")


@pytest.mark.parametrize(
    ("severity", "tone"),
    [("critical", "failure"), ("error", "failure"), ("warning", "warning"), ("info", "info")],
)
def test_severity_is_the_tone(severity, tone):
    (step,), _ = attempt(page("apprise", "env:TELEGRAM", severity=severity), SENT)
    assert step.tone == tone


def test_a_resolution_is_a_message_of_its_own_and_a_mere_update_is_none():
    (step,), outcome = attempt(update(page("apprise", "env:TELEGRAM"), "resolved"), SENT)
    assert (step.tone, outcome) == ("success", Delivered(reference="upd-1"))
    for reason in ("updated", "commented"):
        steps, outcome = attempt(update(page("apprise", "env:TELEGRAM"), reason))
        assert (steps, outcome) == ([], Delivered(reference="upd-1"))


def test_the_answer_decides():
    def outcome(answer):
        return attempt(page("apprise", "env:TELEGRAM"), answer)[1]

    assert outcome(Answer(status=503)) == Deferred(reason="HTTP 503")
    assert outcome(Answer(status=400, body=b"no such address")) == Undeliverable(reason="no such address")
    assert outcome(Answer(status=400)) == Undeliverable(reason="status 400")
