"""What holds for every answer: who may have it, the headers that a browser protects it by, and errors as JSON."""

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from stream.page.access import OPEN_PATHS, Access
from stream.page.request_error import RequestError

log = structlog.get_logger(__name__)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
        " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Server": "riskstream",
}


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers of every answer, but for those that it has of its own."""
    for name, value in HEADERS.items():
        if name == "Server" or name not in response.headers:
            response.headers[name] = value


def guard(access: Access) -> Middleware:
    """Return the middleware that lets requests in, and makes an answer of what is wrong with them."""

    @web.middleware
    async def let_in(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            access.check(request.method, request.path, request.headers)
            if not request.path.startswith(OPEN_PATHS) and not access.knows(request.headers, request.cookies):
                if request.path == "/":
                    return web.Response(status=303, headers={"Location": "/login"})
                raise RequestError(401, "Authorization", "", "log in at /login, or send `Authorization: Bearer TOKEN`")
            return await handler(request)
        except RequestError as problem:
            return _answer(problem)
        except web.HTTPException as refused:
            return _answer(RequestError(refused.status, "path", request.path, refused.reason))
        except ConnectionError:
            raise
        except Exception:
            # Not the path itself, which may name a customer.
            resource = request.match_info.route.resource
            log.exception("request_failed", resource=resource.canonical if resource else "")
            return _answer(RequestError(500, "page", "", "see the log of riskstream page: this is a fault of its own"))

    return let_in


def _answer(problem: RequestError) -> web.Response:
    return web.Response(
        status=problem.status, body=msgspec.json.encode(problem.body()), content_type="application/json"
    )
