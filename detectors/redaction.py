"""Masks secrets and personal data in texts that leave the process: samples on pages, terms of an explanation.

Every expression is RE2 (a finite automaton), so hostile text costs linear time. What no expression can tell
(names, postal addresses) passes: agents that handle such texts send features instead, or give patterns.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

import re2

SECRET, EMAIL, IBAN, CARD, PHONE, NUMBER, OTHER = (
    "[secret]",
    "[e-mail]",
    "[iban]",
    "[card]",
    "[phone]",
    "[number]",
    "[redacted]",
)

_quiet = re2.Options()
_quiet.log_errors = False

_SECRETS = tuple(
    re2.compile(pattern, _quiet)
    for pattern in (
        r"(?s)()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
        r"(?i)(\bauthorization[\"']?\s*[:=]\s*)[^\r\n]+",
        r"(?i)(\b(?:bearer|basic)\s+)[a-z0-9._~+/=-]{8,}",
        r"(?i)([a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?:@)",
        r"(?i)((?:api|access|secret|private|auth)[_ -]?key[\"']?\s*(?:[:=]|\bis\b)\s*[\"']?)[^\s\"',;\[\]]+",
        r"(?i)((?:token|secret|password|passwd|passphrase|pwd)[\"']?\s*(?:[:=]|\bis\b)\s*[\"']?)[^\s\"',;\[\]]+",
        r"()\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{12,}",
        r"()\b(?:gh[opusr]|github_pat|glpat|hf|npm|pypi|xox[abeprs]|dop_v1|shpat|ya29)[-_.][A-Za-z0-9_.-]{10,}",
        r"()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
        r"()\bAIza[A-Za-z0-9_-]{30,}",
        r"()\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?",
    )
)
_LONG = re2.compile(r"[A-Za-z0-9_+/=-]{32,}", _quiet)
_EMAIL = re2.compile(r"[^\s@\[\]()<>\",;:]+@[\pL\pN-]+(?:\.[\pL\pN-]+)+", _quiet)
_IBAN = re2.compile(r"(?i)\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", _quiet)
_DIGITS = re2.compile("\\+?\\(?\\d(?:[ \u00a0./()-]{0,2}\\d)+", _quiet)
_GROUP = re2.compile(r"\d+", _quiet)
_DATE = re2.compile(r"^\d{1,2}[./-]\d{1,2}[./-]\d{4}", _quiet)

_CARD_DIGITS = range(13, 20)
_IBAN_LENGTHS = range(15, 35)
_NUMBER_DIGITS = 9
_PHONE_DIGITS = range(8, 16)
_PHONE_SHAPE = (3, 3, 4)
_SOCIAL_SHAPE = (3, 2, 4)


def redact(text: str, patterns: Sequence[str] = ()) -> str:
    """`text` with each secret and each piece of personal data replaced by a word in brackets.

    Known kinds: keys and tokens of providers, bearer and basic authorization, passwords that are named as
    such, private keys, credentials in addresses, long random strings; e-mail addresses, IBANs (by check
    digits), card numbers (by Luhn), phone numbers, other numbers of nine digits or more. `patterns`: further
    RE2 expressions.

    Raises:
        ValueError: a pattern is no RE2 expression.

    >>> redact("I'm ana@example.org, card 4111 1111 1111 1111, token=t0ps3cret")
    "I'm [e-mail], card [card], token=[secret]"
    """
    clean = text.encode("utf-8", "replace").decode()
    for pattern in patterns:
        clean = expression(pattern).sub(_whole, clean)
    for secret in _SECRETS:
        clean = secret.sub(_keep_name, clean)
    clean = _LONG.sub(_random, clean)
    clean = _EMAIL.sub(EMAIL, clean)
    clean = _IBAN.sub(_account, clean)
    return str(_DIGITS.sub(_number, clean))


@lru_cache(maxsize=256)
def expression(pattern: str) -> Any:
    """`pattern` compiled by RE2.

    Raises:
        ValueError: it is no RE2 expression; the message says why.
    """
    try:
        return re2.compile(pattern, _quiet)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        found = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"redaction pattern {pattern!r} must be an RE2 expression: {found}") from error


def _whole(match: Any) -> str:
    return OTHER if match.group() else ""


def _keep_name(match: Any) -> str:
    """What names the secret stays: `password: `, `bearer `."""
    tail = "@" if match.group().endswith("@") else ""
    return f"{match.group(1)}{SECRET}{tail}"


def _random(match: Any) -> str:
    """A long run of letters and digits mixed is a key or a hash; of letters alone, a word or a line."""
    found: str = match.group()
    mixed = any(each.isdigit() for each in found) and any(each.isalpha() for each in found)
    return SECRET if mixed else found


def _account(match: Any) -> str:
    """The longest beginning, at a gap, whose check digits hold (ISO 13616, modulo 97)."""
    words = match.group().split(" ")
    starts = list(accumulate(words))
    for taken in range(len(words), 0, -1):
        if len(starts[taken - 1]) in _IBAN_LENGTHS and _checks(starts[taken - 1]):
            return " ".join([IBAN, *words[taken:]])
    return str(match.group())


def _checks(account: str) -> bool:
    turned = account[4:] + account[:4]
    return int("".join(str(int(each, 36)) for each in turned)) % 97 == 1


def _number(match: Any) -> str:
    found: str = match.group()
    groups = _GROUP.findall(found)
    lengths = tuple(len(each) for each in groups)
    if _holds_card(groups):
        return CARD
    if lengths == _SOCIAL_SHAPE:
        return NUMBER
    if _is_phone(found, lengths):
        return PHONE
    return NUMBER if max(lengths) >= _NUMBER_DIGITS else found


def _holds_card(groups: Sequence[str]) -> bool:
    """Whether some consecutive groups make 13 to 19 digits that pass Luhn (ISO/IEC 7812)."""
    for first in range(len(groups)):
        digits = ""
        for group in groups[first : first + _CARD_DIGITS.stop]:
            digits += group
            if len(digits) >= _CARD_DIGITS.stop:
                break
            if len(digits) in _CARD_DIGITS and _passes_luhn(digits):
                return True
    return False


def _passes_luhn(digits: str) -> bool:
    twice = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    values = [int(each) for each in reversed(digits)]
    return (sum(values[::2]) + sum(twice[each] for each in values[1::2])) % 10 == 0


def _is_phone(found: str, lengths: tuple[int, ...]) -> bool:
    total = sum(lengths)
    if found.startswith("+"):
        return total in _PHONE_DIGITS
    if any(lengths[at : at + 3] == _PHONE_SHAPE for at in range(len(lengths))):
        return True
    national = found.lstrip("(").startswith("0") and not _DATE.search(found)
    return national and total >= _NUMBER_DIGITS
