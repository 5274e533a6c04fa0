"""The page's own files, read once, and given with a mark by which a browser need not fetch them again."""

import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files

from aiohttp import web

from stream.page.request_error import RequestError

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent, and compressed."""

    kind: str
    body: bytes
    compressed: bytes
    mark: str


class StaticFiles:
    """All files of the folder `static`, by name."""

    def __init__(self) -> None:
        self._files: dict[str, StaticFile] = {}
        for entry in files("stream.page").joinpath("static").iterdir():
            suffix = entry.name[entry.name.rfind(".") :]
            if suffix in TYPES:
                body = entry.read_bytes()
                mark = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
                self._files[entry.name] = StaticFile(TYPES[suffix], body, gzip.compress(body, mtime=0), mark)

    def page(self, name: str, status: int = 200) -> web.Response:
        """Return one of the pages, which is not kept by the browser."""
        return web.Response(status=status, body=self._files[name].body, headers={"Content-Type": TYPES[".html"]})

    async def serve(self, request: web.Request) -> web.Response:
        """Answer a request for a file."""
        name = request.match_info["name"]
        found = self._files.get(name)
        if found is None:
            raise RequestError(404, "path", name, "open /")
        headers = {
            "Content-Type": found.kind,
            "Cache-Control": "no-cache",
            "ETag": found.mark,
            "Vary": "Accept-Encoding",
        }
        if request.headers.get("If-None-Match") == found.mark:
            return web.Response(status=304, headers=headers)
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=found.compressed, headers={**headers, "Content-Encoding": "gzip"})
        return web.Response(body=found.body, headers=headers)
