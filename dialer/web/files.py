"""Scripts, styles and pictures of the pages: read once, compressed once, looked up by name.

A name that is not in the folder is not found; no path is ever made of what a request says.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from aiohttp import web

STATIC = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wav": "audio/wav"}
#: Smaller than a packet: compressing gains nothing.
_SMALL_BYTES = 1000


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    compressed: bytes
    media: str
    etag: str


async def serve(request: web.Request) -> web.Response:
    """One file; a browser that has it already is told so.

    Raises:
        HTTPNotFound: there is no such file.
    """
    path = _names().get(request.match_info["name"])
    if path is None or not path.is_file():
        raise web.HTTPNotFound
    file = _read(path, path.stat().st_mtime_ns)
    headers = {"ETag": f'"{file.etag}"', "Vary": "Accept-Encoding"}
    if file.etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    body = file.body
    if len(file.compressed) < len(body) and "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = file.compressed
    return web.Response(body=body, content_type=file.media, charset="utf-8", headers=headers)


def _names() -> dict[str, Path]:
    """Every file there is, by the name a page calls it."""
    return {path.relative_to(STATIC).as_posix(): path for path in STATIC.rglob("*") if path.suffix in _TYPES}


@lru_cache(maxsize=256)
def _read(path: Path, _changed_ns: int) -> _File:
    body = path.read_bytes()
    compressed = gzip.compress(body, 9, mtime=0) if len(body) > _SMALL_BYTES else body
    return _File(body, compressed, _TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:20])
