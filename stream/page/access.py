"""Who may read the page: where it listens, whose requests are answered, and who is logged in."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from urllib.parse import urlsplit

from stream.loopback import is_loopback
from stream.page.request_error import RequestError
from stream.settings import Settings

LEAST_TOKEN_LETTERS = 16
SESSION_SECONDS = 12 * 3600.0
MOST_SESSIONS = 1_000
COOKIE = "riskstream_session"
OPEN_PATHS = ("/live", "/ready", "/login", "/static/")
"""What is shown to everyone: nothing in it is of the stream."""


class AccessError(ValueError):
    """The settings would show the page to strangers; the message names the variable and the remedy."""


class Access:
    """The rules for one page; raises AccessError where the settings would show it to strangers.

    >>> Access(Settings(page_host="0.0.0.0"))
    Traceback (most recent call last):
    ...
    stream.page.access.AccessError: RISKSTREAM_PAGE_HOST='0.0.0.0': others could read the page there; set
    RISKSTREAM_PAGE_TOKEN to a secret of at least 16 characters, or RISKSTREAM_PAGE_GUARDED=true where only this machine
    gets there
    """

    def __init__(self, settings: Settings) -> None:
        self._token = settings.page_token.get_secret_value()
        self._sessions: OrderedDict[str, float] = OrderedDict()
        if self._token and len(self._token) < LEAST_TOKEN_LETTERS:
            raise AccessError(
                f"RISKSTREAM_PAGE_TOKEN: has {len(self._token)} characters; take at least {LEAST_TOKEN_LETTERS},"
                " as of `openssl rand -hex 24`"
            )
        if not (self._token or settings.page_guarded or is_loopback(settings.page_host)):
            raise AccessError(
                f"RISKSTREAM_PAGE_HOST={settings.page_host!r}: others could read the page there; set"
                f" RISKSTREAM_PAGE_TOKEN to a secret of at least {LEAST_TOKEN_LETTERS} characters, or"
                " RISKSTREAM_PAGE_GUARDED=true where only this machine gets there"
            )

    @property
    def wants_token(self) -> bool:
        """Whether readers have to log in."""
        return bool(self._token)

    def check(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        """Raise RequestError for a request that must not be answered, whoever sent it; logging in is another matter.

        Without a token the Host must name this machine: a name of a stranger's that leads here is how another site's
        page would read this one (DNS rebinding). What another site's page asks for is refused in either case, but for
        following a link to the page.
        """
        if method not in ("GET", "HEAD") and (method, path) != ("POST", "/login"):
            raise RequestError(405, "method", method, "read by GET")
        if path in ("/live", "/ready"):
            return
        host = headers.get("Host", "")
        if not self._token and not is_loopback(_name_of(host)):
            raise RequestError(
                403, "Host", host, "open the page as http://127.0.0.1 or localhost, or set RISKSTREAM_PAGE_TOKEN"
            )
        follows_link = (method, headers.get("Sec-Fetch-Mode"), path) == ("GET", "navigate", "/")
        site = headers.get("Sec-Fetch-Site", "none")
        if site not in ("same-origin", "none") and not follows_link:
            raise RequestError(403, "Sec-Fetch-Site", site, "open the page itself, not from another site")
        origin = headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise RequestError(403, "Origin", origin, "open the page itself, not from another site")

    def knows(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> bool:
        """Tell whether who sent a request may read: by a session's cookie, by the token as a bearer, or as anyone."""
        if not self._token:
            return True
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.is_token(token):
            return True
        ends = self._sessions.get(cookies.get(COOKIE, ""))
        return ends is not None and time.monotonic() < ends

    def is_token(self, offered: str) -> bool:
        """Tell whether this is the token, in a time that does not depend on how much of it is right."""
        return bool(self._token) and secrets.compare_digest(
            offered.encode(errors="surrogateescape"), self._token.encode()
        )

    def new_session(self) -> str:
        """Return the name of a new session; the oldest goes where there are too many."""
        name = secrets.token_urlsafe(32)
        self._sessions[name] = time.monotonic() + SESSION_SECONDS
        if len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return name


def _name_of(host: str) -> str:
    """Return the name in a Host header, which may have a port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, _, port = host.rpartition(":")
    return name if name and port.isdecimal() else host
