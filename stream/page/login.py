"""Logging in: a form that takes the token, and gives a cookie for it."""

import asyncio

from aiohttp import web

from stream.page.access import COOKIE, SESSION_SECONDS, Access
from stream.page.static_files import StaticFiles

REFUSAL_SECONDS = 1.0
"""A wrong token is answered so much later; guessing is hopeless in any case."""
MOST_GUESSES = 16
"""So many wrong tokens may wait for their answer; more have to come again."""


class Login:
    """The form at /login."""

    def __init__(self, access: Access, files: StaticFiles) -> None:
        self._access = access
        self._files = files
        self._guesses = asyncio.Semaphore(MOST_GUESSES)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Show the form, or the page to whoever needs none."""
        if self._access.knows(request.headers, request.cookies):
            return web.Response(status=303, headers={"Location": "/"})
        return self._form("login.html", 200)

    def _form(self, name: str, status: int) -> web.Response:
        response = self._files.page(name, status)
        # Without a referrer a browser would not say either where the form that it sends comes from.
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Take the form's token; the right one opens a session."""
        offered = (await request.post()).get("token")
        if not isinstance(offered, str) or not self._access.is_token(offered):
            if self._guesses.locked():
                return web.Response(status=429, headers={"Retry-After": "5"})
            async with self._guesses:
                await asyncio.sleep(REFUSAL_SECONDS)
            return self._form("login_refused.html", 403)
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(
            COOKIE,
            self._access.new_session(),
            max_age=int(SESSION_SECONDS),
            httponly=True,
            samesite="Strict",
            secure=request.secure,
        )
        return response
