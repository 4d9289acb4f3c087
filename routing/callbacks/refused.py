"""What cannot be followed, and what is nobody's business here."""


class Refused(Exception):  # noqa: N818 - what became of it
    """A request that cannot be followed. `at`: the place in it, as a JSON path."""

    def __init__(self, reason: str, at: str = "$") -> None:
        super().__init__(reason)
        self.at = at


class Forged(Exception):  # noqa: N818 - what it is taken for
    """It is not proved who a request is from; the message says what was wrong, never what would be right."""


class Ignored(Exception):  # noqa: N818 - what became of it
    """A genuine message that asks for nothing here; the message says why."""
