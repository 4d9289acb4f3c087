"""By what it is proved who comes in."""

import pytest

from streams.hosting.variables import Misconfigured
from streams.ingress.access import Access, bound, read

TOKEN = "api-" * 5


def test_secrets_come_from_variables_or_from_the_files_that_they_name(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    variables = {
        "OVERSIGHT_API_TOKEN_FILE": str(path),
        "SLACK_SIGNING_SECRET": "new, old",
        "PAGERDUTY_WEBHOOK_SECRET": "",
    }
    assert read(variables) == Access(api=(TOKEN,), slack=("new", "old"))


def test_secrets_are_not_shown():
    assert repr(Access(api=(TOKEN,), socket="xapp-1")) == "Access(api=1, slack=0, pagerduty=0)"


def test_what_cannot_be_read_or_guessed_is_refused(tmp_path):
    with pytest.raises(Misconfigured, match="OVERSIGHT_API_TOKEN is too short"):
        read({"OVERSIGHT_API_TOKEN": "short"})
    with pytest.raises(Misconfigured, match=r"SLACK_APP_TOKEN_FILE: .* cannot be read: FileNotFoundError"):
        read({"SLACK_APP_TOKEN_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize("host", ["0.0.0." + "0", "::", "10.0.0.1", "pager.example"])
def test_nobody_listens_where_others_reach_it_without_a_token(host):
    with pytest.raises(Misconfigured, match="OVERSIGHT_API_TOKEN must be set"):
        bound(host, Access(slack=("s",)))
    assert bound(host, Access(api=(TOKEN,))) == host


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_loopback_no_token_is_needed(host):
    assert bound(host, Access()) == host
