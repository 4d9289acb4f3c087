"""Links of letters and cards: a page that says what would be done, and a button that does it."""

from html import escape

from aiohttp import web
from aiohttp.typedefs import Handler

from routing.callbacks.links import PATH, VIA, Wanted, pressed, prove_link
from routing.callbacks.refused import Forged
from routing.words.wording import one_line
from schemas.incident import Incident
from streams.hosting.log import AppendFailed
from streams.ingress.board import Unknown
from streams.ingress.desk import Desk

CAPTIONS = {"acknowledge": "Acknowledge", "silence": "Silence for an hour", "resolve": "Resolve"}
DONE = {
    "acknowledge": "It will be yours.",
    "silence": "It will be silenced for an hour.",
    "resolve": "It will be resolved.",
}
LINE = 300
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
STYLE = "font-family:sans-serif;max-width:32em;margin:3em auto;padding:0 1em;font-size:18px"
BUTTON = "font-size:18px;padding:.6em 1.4em"


class Links:
    """Answers people, so in HTML."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_to(self, app: web.Application) -> None:
        """Opening one asks, pressing does."""
        app.router.add_get(PATH + "/{action}/{incident}", self._proved(self._ask))
        app.router.add_post(PATH + "/{action}/{incident}", self._proved(self._do))

    def _proved(self, handler: Handler) -> Handler:
        async def answered(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except Forged as forged:
                self._desk.note(VIA, "forged", str(forged))
                return _page(403, "This does not work", f"{forged}: use the newest message of the incident.")
            except (AppendFailed, TimeoutError) as error:
                self._desk.note(VIA, "failed", str(error))
                return _page(503, "It did not work", "Nothing was written. Go back and try again.")

        return answered

    async def _ask(self, request: web.Request) -> web.Response:
        """Changes nothing: programs that look through mail come here, too."""
        wanted = self._wanted(request)
        found = self._found(wanted)
        if found is not None and self._desk.board.is_over(found, wanted.action):
            return _page(200, "It is over", _what(wanted, found))
        button = f'<form method="post"><button style="{BUTTON}">{CAPTIONS[wanted.action]}</button></form>'
        return _page(200, f"{CAPTIONS[wanted.action]}, {wanted.by}?", _what(wanted, found), button)

    async def _do(self, request: web.Request) -> web.Response:
        wanted = self._wanted(request)
        found = self._found(wanted)
        if found is not None and self._desk.board.is_over(found, wanted.action):
            return _page(409, "It is over", _what(wanted, found))
        await self._desk.write([pressed(wanted, self._desk.now())])
        return _page(200, _done(wanted, found), _what(wanted, found))

    def _wanted(self, request: web.Request) -> Wanted:
        place = request.match_info
        secrets = self._desk.access.links
        return prove_link(secrets, place["action"], place["incident"], request.query, self._desk.now())

    def _found(self, wanted: Wanted) -> Incident | None:
        """The incident; None where it was not read yet."""
        try:
            return self._desk.board.find(wanted.incident)
        except Unknown:
            return None


def _done(wanted: Wanted, found: Incident | None) -> str:
    """What is so already is said to be; the rest is written, and done as soon as it is read."""
    if wanted.action == "acknowledge" and found is not None and found.acknowledged_by == wanted.by:
        return "It is yours."
    return DONE[wanted.action]


def _what(wanted: Wanted, found: Incident | None) -> str:
    told = f"{found.severity.upper()}: {found.summary}" if found else "This incident"
    by = f" (acknowledged by {found.acknowledged_by})" if found and found.acknowledged_by else ""
    return one_line(f"{told}{by} · {wanted.incident}", LINE)


def _page(status: int, title: str, text: str, more: str = "") -> web.Response:
    shown = escape(one_line(title, LINE))
    body = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{shown}</title>'
        '<meta name="viewport" content="width=device-width"></head>'
        f'<body style="{STYLE}"><h1>{shown}</h1><p dir="auto">{escape(text)}</p>{more}</body></html>\n'
    )
    return web.Response(status=status, text=body, content_type="text/html", headers=HEADERS)
