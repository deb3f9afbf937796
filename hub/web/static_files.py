"""Static files under hashed names, for ever cacheable: `/static/js/live.3f9a1c20.js`."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from hub.web.packing import understands

STATIC = Path(__file__).parent / "static"
TEXTS = frozenset({".js", ".css", ".svg"})
LEAN = frozenset({".js", ".css"})
_REMARK = re.compile(r"^[ \t]*(?://[^\n]*|/\*(?:[^*]|\*(?!/))*\*/[ \t]*(?=\n))", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
FOREVER = "public, max-age=31536000, immutable"
mimetypes.add_type("text/javascript", ".js")


@cache
def hashed(name: str) -> str:
    """Give the address of a static file, with the hash of its content in its name."""
    content = (STATIC / name).read_bytes()
    stem, _, ending = name.rpartition(".")
    return f"/static/{stem}.{hashlib.sha256(content).hexdigest()[:8]}.{ending}"


@cache
def import_map() -> dict[str, str]:
    """Give every module under its short name: `hub/live` → its hashed address."""
    return {
        f"hub/{path.relative_to(STATIC / 'js').with_suffix('').as_posix()}": hashed(
            path.relative_to(STATIC).as_posix()
        )
        for path in sorted((STATIC / "js").rglob("*.js"))
    }


def lean(text: str) -> str:
    """Leave out what only people read: whole-line comments and indents; lines keep their numbers.

    Our own modules and style sheets have no text that goes over several lines (a test holds it).
    """
    text = _REMARK.sub(lambda found: "\n" * found[0].count("\n"), text)
    return _INDENT.sub("", text)


@cache
def packed(path: Path, _changed: float) -> bytes:
    """Give a text file as it leaves: lean where it is our own, compressed."""
    content = path.read_bytes()
    if path.suffix in LEAN and "vendor" not in path.parts:
        content = lean(content.decode()).encode()
    return gzip.compress(content, 9, mtime=0)


def _answer(request: Request, path: Path, caching: str) -> Response:
    headers = {"Cache-Control": caching}
    headers["Vary"] = "Accept-Encoding"
    if path.suffix not in TEXTS or not understands(request):
        return FileResponse(path, headers=headers)
    kind = mimetypes.guess_type(path.name)[0] or "text/plain"
    headers["Content-Encoding"] = "gzip"
    return Response(packed(path, path.stat().st_mtime), headers=headers, media_type=kind)


async def serve(request: Request) -> Response:
    """Serve a static file by its plain or its hashed name."""
    name = request.path_params["path"]
    path = (STATIC / name).resolve()
    if STATIC.resolve() in path.parents and path.is_file():
        return _answer(request, path, "no-cache")
    stem, _, ending = name.rpartition(".")
    plain, _, mark = stem.rpartition(".")
    path = (STATIC / f"{plain}.{ending}").resolve()
    if plain and STATIC.resolve() in path.parents and path.is_file():
        known = hashed(f"{plain}.{ending}").split(".")[-2] == mark
        return _answer(request, path, FOREVER if known else "no-cache")
    return Response("not found", 404)


def routes() -> list[Route]:
    """Give the routes of static files."""
    return [Route("/static/{path:path}", serve)]
