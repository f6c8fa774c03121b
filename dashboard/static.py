"""The built front end: hashed assets for ever, the page itself asked for each time, any path the page knows."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from dashboard.words import WORDS

_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_EACH_TIME = "no-cache"
_PAGE = "index.html"


class FrontEnd(StaticFiles):
    """Vite puts hashed names under `assets/`; everything else may change with the next build."""

    def __init__(self, dist: Path) -> None:
        super().__init__(directory=dist, check_dir=False)
        self._dist = dist

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path == "api" or path.startswith("api/"):
            raise HTTPException(404)
        if not (self._dist / _PAGE).is_file():
            return _not_built()
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            # The page's own addresses (/worker, /incidents/12) have no dot; a missing file stays missing.
            if error.status_code != 404 or PurePosixPath(path).suffix:
                raise
            path, response = _PAGE, await super().get_response(_PAGE, scope)
        hashed = path.replace(os.sep, "/").startswith("assets/")
        response.headers["Cache-Control"] = _FOR_EVER if hashed else _ASK_EACH_TIME
        return response

    async def check_config(self) -> None:
        """Parent raises when the folder is missing; here `get_response` tells people how to build it."""


def _not_built() -> Response:
    words = WORDS["front_end_missing"]
    return HTMLResponse(
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>gridwarden</title>'
        f"<p>{words.zh}</p><p lang=en>{words.en}</p></html>",
        status_code=503,
        headers={"Cache-Control": "no-store"},
    )
