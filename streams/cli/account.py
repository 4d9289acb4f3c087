"""Who types: the name of the account, where it has one."""

import os
from collections.abc import Callable
from getpass import getuser


def account(named: Callable[[], str] = getuser) -> str:
    """The account's name; `uid-N` where nothing knows one, as in a container that runs under any number."""
    try:
        return named()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"
