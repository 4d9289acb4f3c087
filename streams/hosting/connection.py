"""How the brokers are reached: TLS and SASL, told by the environment, for every client alike."""

import ssl
from collections.abc import Mapping
from typing import Any, Literal, get_args

from streams.hosting.addresses import shown
from streams.hosting.clock import WallClock
from streams.hosting.tokens import BearerFile, ClientCredentials
from streams.hosting.variables import Hidden, Misconfigured, value

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]

PREFIX = "OVERSIGHT_KAFKA_"
PROTOCOL = f"{PREFIX}SECURITY_PROTOCOL"
MECHANISM = f"{PREFIX}SASL_MECHANISM"
TLS = ("SSL_CAFILE", "SSL_CERTFILE", "SSL_KEYFILE", "SSL_KEY_PASSWORD")
PASSWORDS = ("SASL_USERNAME", "SASL_PASSWORD")
CREDENTIALS = ("OAUTH_TOKEN_URL", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET")
TOKENS = ("OAUTH_TOKEN_FILE", *CREDENTIALS, "OAUTH_SCOPE")


def connection(bootstrap: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """What aiokafka's clients take to reach brokers at `bootstrap`, `host:port`, several by comma.

    Raises:
        Misconfigured: the variables do not fit each other, or a file that one names cannot be used.
    """
    return {"bootstrap_servers": bootstrap, **security(variables)}


def security(variables: Mapping[str, str]) -> dict[str, Any]:
    """TLS and SASL, from OVERSIGHT_KAFKA_SECURITY_PROTOCOL, _SASL_…, _SSL_…, _OAUTH_…; none: plain text.

    What is set, but would not be used, is refused: who sets a password does not want to go without.

    Raises:
        Misconfigured: see `connection`.
    """
    protocol = _one_of(variables, PROTOCOL, get_args(Protocol)) or "PLAINTEXT"
    found: dict[str, Any] = {} if protocol == "PLAINTEXT" else {"security_protocol": protocol}
    if protocol in {"SSL", "SASL_SSL"}:
        found["ssl_context"] = _trusted(variables)
    else:
        _unused(variables, TLS, f"{PROTOCOL} is {protocol}", f"{PROTOCOL}=SSL or SASL_SSL")
    if protocol in {"SASL_PLAINTEXT", "SASL_SSL"}:
        return found | _known_by(variables)
    wanted = f"{PROTOCOL}=SASL_SSL or SASL_PLAINTEXT"
    _unused(variables, ("SASL_MECHANISM", *PASSWORDS, *TOKENS), f"{PROTOCOL} is {protocol}", wanted)
    return found


def _known_by(variables: Mapping[str, str]) -> dict[str, Any]:
    """By which the brokers know us."""
    mechanism = _one_of(variables, MECHANISM, get_args(Mechanism))
    if not mechanism:
        raise Misconfigured(f"{MECHANISM} is not set; expected {_or(get_args(Mechanism))}")
    unused = PASSWORDS if mechanism == "OAUTHBEARER" else TOKENS
    other = "PLAIN or SCRAM-SHA-…" if mechanism == "OAUTHBEARER" else "OAUTHBEARER"
    _unused(variables, unused, f"{MECHANISM} is {mechanism}", f"{MECHANISM}={other}")
    if mechanism == "OAUTHBEARER":
        return {"sasl_mechanism": mechanism, "sasl_oauth_token_provider": _tokens(variables)}
    name, password = (_needed(variables, each, f"what {mechanism} needs") for each in PASSWORDS)
    return {
        "sasl_mechanism": mechanism,
        "sasl_plain_username": name,
        "sasl_plain_password": Hidden(password),
    }


def _tokens(variables: Mapping[str, str]) -> BearerFile | ClientCredentials:
    path = variables.get(f"{PREFIX}OAUTH_TOKEN_FILE", "")
    if path:
        _unused(variables, (*CREDENTIALS, "OAUTH_SCOPE"), f"{PREFIX}OAUTH_TOKEN_FILE is set", "one of both")
        return BearerFile(path)
    why = f"what OAUTHBEARER needs, or {PREFIX}OAUTH_TOKEN_FILE"
    url, client, secret = (_needed(variables, each, why) for each in CREDENTIALS)
    scope = value(variables, f"{PREFIX}OAUTH_SCOPE")
    try:
        return ClientCredentials(url, client, Hidden(secret), scope, WallClock().monotonic_s)
    except ValueError as error:
        raise Misconfigured(f"{PREFIX}OAUTH_TOKEN_URL is {shown(url)!r}; expected {error}") from error


def _trusted(variables: Mapping[str, str]) -> ssl.SSLContext:
    """Whom we trust (the system's authorities, if no file is named), and the certificate that we show."""
    ca, certificate, key = (variables.get(f"{PREFIX}{each}", "") for each in TLS[:3])
    password = value(variables, f"{PREFIX}SSL_KEY_PASSWORD")
    if (key or password) and not certificate:
        name = "SSL_KEYFILE" if key else "SSL_KEY_PASSWORD"
        raise Misconfigured(
            f"{PREFIX}{name} is set without {PREFIX}SSL_CERTFILE; expected the certificate of the key"
        )
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except OSError as error:
        what = "expected a file with certificates in PEM"
        raise Misconfigured(f"{PREFIX}SSL_CAFILE: {ca} cannot be used: {_told(error)}; {what}") from error
    if certificate:
        try:
            # Without a word for it, OpenSSL would ask for the key's password at the terminal.
            context.load_cert_chain(certificate, key or None, lambda: password)
        except OSError as error:
            files = f"{PREFIX}SSL_CERTFILE, _SSL_KEYFILE: {certificate}{f', {key}' if key else ''}"
            what = "expected a certificate and its key in PEM, and the key's password if it has one"
            raise Misconfigured(f"{files} cannot be used: {_told(error)}; {what}") from error
    return context


def _told(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "unreadable").lower().replace("_", " ")
    return error.strerror or type(error).__name__


def _one_of(variables: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    said = variables.get(name, "").strip().upper()
    if said and said not in known:
        raise Misconfigured(f"{name} is {variables[name]!r}; expected {_or(known)}")
    return said


def _or(known: tuple[str, ...]) -> str:
    return f"{', '.join(known[:-1])} or {known[-1]}"


def _needed(variables: Mapping[str, str], name: str, why: str) -> str:
    said = value(variables, PREFIX + name)
    if not said:
        raise Misconfigured(f"{PREFIX}{name} is not set; expected {why}")
    return said


def _unused(variables: Mapping[str, str], names: tuple[str, ...], why: str, wanted: str) -> None:
    for name in names:
        for each in (PREFIX + name, f"{PREFIX}{name}_FILE"):
            if variables.get(each):
                raise Misconfigured(f"{each} is set, but {why}; expected {wanted}")
