"""TLS and SASL as the environment tells them: what is taken, what is refused, and what nobody gets to see."""

import ssl
import traceback

import certifi
import pytest

from streams.hosting.connection import PREFIX, connection, security
from streams.hosting.environment import read
from streams.hosting.variables import Hidden, Misconfigured

PASSWORD = "a word that nobody sees"  # noqa: S105 - it guards nothing
KNOWN = {"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "SASL_MECHANISM": "PLAIN", "SASL_USERNAME": "us"}
BEARER = {"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "SASL_MECHANISM": "OAUTHBEARER"}
CLIENT = {"OAUTH_TOKEN_URL": "https://login.example/token", "OAUTH_CLIENT_ID": "us"}


def told(**said: str) -> dict[str, str]:
    return {PREFIX + name: each for name, each in said.items()}


def test_without_a_word_it_is_plain_text():
    assert connection("a:9092,b:9092", {}) == {"bootstrap_servers": "a:9092,b:9092"}
    assert security(told(SECURITY_PROTOCOL="plaintext")) == {}


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "scram-sha-512"])
def test_a_name_and_a_password(mechanism):
    found = security(told(**KNOWN | {"SASL_MECHANISM": mechanism, "SASL_PASSWORD": PASSWORD}))
    assert found["security_protocol"] == "SASL_PLAINTEXT"
    assert found["sasl_mechanism"] == mechanism.upper()
    assert found["sasl_plain_username"] == "us"
    assert found["sasl_plain_password"].encode() == PASSWORD.encode()


def test_a_password_may_stand_in_a_file(tmp_path):
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    found = security(told(**KNOWN, SASL_PASSWORD_FILE=str(tmp_path / "password")))
    assert "\0".join(["us", found["sasl_plain_password"]]) == f"us\0{PASSWORD}"


def test_tls_trusts_the_systems_authorities_or_those_of_a_file():
    for said in ({}, {"SSL_CAFILE": certifi.where()}):
        context = security(told(SECURITY_PROTOCOL="SSL", **said))["ssl_context"]
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.get_ca_certs() or not said


def test_tokens_come_from_a_file_or_for_credentials():
    file = security(told(**{**BEARER, "OAUTH_TOKEN_FILE": "token"}))
    client = security(told(**BEARER, **CLIENT, OAUTH_CLIENT_SECRET=PASSWORD))
    assert file["sasl_mechanism"] == client["sasl_mechanism"] == "OAUTHBEARER"
    assert type(file["sasl_oauth_token_provider"]).__name__ == "BearerFile"
    assert type(client["sasl_oauth_token_provider"]).__name__ == "ClientCredentials"


REFUSED = {
    "_SECURITY_PROTOCOL is 'TLS'; expected PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL": {
        "SECURITY_PROTOCOL": "TLS"
    },
    "_SASL_MECHANISM is not set; expected PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER": {
        "SECURITY_PROTOCOL": "SASL_SSL"
    },
    "_SASL_MECHANISM is 'GSSAPI'; expected PLAIN, ": {**KNOWN, "SASL_MECHANISM": "GSSAPI"},
    "_SASL_PASSWORD is not set; expected what PLAIN needs": KNOWN,
    "_SASL_USERNAME is not set; expected what PLAIN needs": {
        "SECURITY_PROTOCOL": "SASL_SSL",
        "SASL_MECHANISM": "PLAIN",
        "SASL_PASSWORD": PASSWORD,
    },
    "_SASL_PASSWORD is set, but OVERSIGHT_KAFKA_SECURITY_PROTOCOL is PLAINTEXT; expected OVERSIGHT_": {
        "SASL_PASSWORD": PASSWORD
    },
    "_SASL_MECHANISM is set, but OVERSIGHT_KAFKA_SECURITY_PROTOCOL is SSL; expected ": {
        "SECURITY_PROTOCOL": "SSL",
        "SASL_MECHANISM": "PLAIN",
    },
    "_SSL_CAFILE is set, but OVERSIGHT_KAFKA_SECURITY_PROTOCOL is SASL_PLAINTEXT; expected ": {
        **KNOWN,
        "SSL_CAFILE": "ca.pem",
    },
    "_SASL_PASSWORD is set, but OVERSIGHT_KAFKA_SASL_MECHANISM is OAUTHBEARER; expected ": {
        **BEARER,
        "SASL_PASSWORD": PASSWORD,
    },
    "_OAUTH_TOKEN_FILE is set, but OVERSIGHT_KAFKA_SASL_MECHANISM is PLAIN; expected ": {
        **KNOWN,
        "OAUTH_TOKEN_FILE": "token",
    },
    "_OAUTH_CLIENT_SECRET is set, but OVERSIGHT_KAFKA_OAUTH_TOKEN_FILE is set; expected one of both": {
        **BEARER,
        "OAUTH_TOKEN_FILE": "token",
        "OAUTH_CLIENT_SECRET": PASSWORD,
    },
    "_OAUTH_TOKEN_URL is not set; expected what OAUTHBEARER needs, or OVERSIGHT_KAFKA_OAUTH": BEARER,
    "_OAUTH_CLIENT_SECRET is not set; expected ": {**BEARER, **CLIENT},
    "_OAUTH_TOKEN_URL is 'http://login.example'; expected an https:// address": {
        **BEARER,
        **CLIENT,
        "OAUTH_TOKEN_URL": "http://login.example",
        "OAUTH_CLIENT_SECRET": PASSWORD,
    },
    "_OAUTH_TOKEN_URL is '[hidden]'; expected an https:// address without user and password": {
        **BEARER,
        **CLIENT,
        "OAUTH_TOKEN_URL": f"https://us:{PASSWORD}@login.example",
        "OAUTH_CLIENT_SECRET": PASSWORD,
    },
    "_SSL_CAFILE: absent.pem cannot be used: No such file or directory; expected a file with certificates": {
        "SECURITY_PROTOCOL": "SSL",
        "SSL_CAFILE": "absent.pem",
    },
    "_SSL_CERTFILE, _SSL_KEYFILE: absent.pem cannot be used: No such file or directory; expected a ": {
        "SECURITY_PROTOCOL": "SSL",
        "SSL_CERTFILE": "absent.pem",
    },
    "_SSL_KEYFILE is set without OVERSIGHT_KAFKA_SSL_CERTFILE; expected the certificate of the key": {
        "SECURITY_PROTOCOL": "SSL",
        "SSL_KEYFILE": "key.pem",
    },
    "_SSL_KEY_PASSWORD is set without OVERSIGHT_KAFKA_SSL_CERTFILE; expected ": {
        "SECURITY_PROTOCOL": "SSL",
        "SSL_KEY_PASSWORD": PASSWORD,
    },
    "_SASL_PASSWORD_FILE: absent cannot be read": {**KNOWN, "SASL_PASSWORD_FILE": "absent"},
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_is_refused_by_the_name_of_its_variable_and_shows_no_secret(why):
    with pytest.raises(Misconfigured) as caught:
        security(told(**REFUSED[why]))
    assert f"OVERSIGHT_KAFKA{why}" in str(caught.value)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_a_file_that_is_no_certificate_is_told_by_its_name(tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text("no certificate")
    with pytest.raises(Misconfigured, match=f"_SSL_CAFILE: {path} cannot be used: "):
        security(told(SECURITY_PROTOCOL="SSL", SSL_CAFILE=str(path)))
    with pytest.raises(Misconfigured, match=f"_SSL_CERTFILE, _SSL_KEYFILE: {path}, {path} cannot be used: "):
        security(told(SECURITY_PROTOCOL="SSL", SSL_CERTFILE=str(path), SSL_KEYFILE=str(path)))


def test_no_secret_shows_in_what_holds_it():
    said = told(**KNOWN, SASL_PASSWORD=PASSWORD)
    environment = read({"OVERSIGHT_KAFKA": "a:1", "OVERSIGHT_CONFIG": "x", **said})
    assert environment.connection["security_protocol"] == "SASL_PLAINTEXT"
    client = security(told(**BEARER, **CLIENT, OAUTH_CLIENT_SECRET=PASSWORD))
    for each in (environment, environment.connection, client, Hidden(PASSWORD)):
        assert PASSWORD not in f"{each!r} {each}"
