"""HTTP authentication as the camera asks for it: digest when offered, basic otherwise, nothing until asked."""

from __future__ import annotations

from collections.abc import Generator

import httpx


class AskedAuth(httpx.Auth):
    """Answers the first 401 by the strongest scheme the camera names, and remembers it for the next looks."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password
        self._chosen: httpx.Auth | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._chosen is None:
            response = yield request
            if response.status_code != 401:
                return
            self._chosen = self._choose(response)
        if self._chosen is not None:
            yield from self._chosen.auth_flow(request)

    def _choose(self, response: httpx.Response) -> httpx.Auth | None:
        offered = " ".join(response.headers.get_list("WWW-Authenticate")).lower()
        if "digest " in offered:
            return httpx.DigestAuth(self._user, self._password)
        if "basic" in offered:
            return httpx.BasicAuth(self._user, self._password)
        return None
