"""The password in front of everything, where one is set."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from html import escape
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.websockets import WebSocketClose

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_PAGE: Final = (Path(__file__).parent / "gate.html").read_text(encoding="utf-8")
_COOKIE: Final = "hotspan_ui"
_LOGIN: Final = "/login"
_HEALTH: Final = "/_stcore/health"
_FORM_LIMIT_BYTES: Final = 4096
_WRONG_PASSWORD_DELAY_S: Final = 0.5
_SECONDS_PER_HOUR: Final = 3600
_POLICY_VIOLATION: Final = 1008


class PasswordGate:
    """ASGI middleware that lets in only browsers that gave the password.

    A signed cookie remembers it. The key of the signature comes from the password, so a new
    password ends all sessions, and a restart ends none.
    """

    def __init__(self, app: ASGIApp, *, password: str, session_hours: float) -> None:
        self._app = app
        self._password = password.encode()
        self._session_s = session_hours * _SECONDS_PER_HOUR
        self._key = hashlib.scrypt(self._password, salt=b"hotspan-ui", n=2**14, r=8, p=1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass; answer everything else with the form."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        if scope["path"] == _HEALTH or self._signed_in(HTTPConnection(scope)):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await WebSocketClose(code=_POLICY_VIOLATION)(scope, receive, send)
            return
        answer = await self._answer(Request(scope, receive))
        await answer(scope, receive, send)

    def _signed_in(self, connection: HTTPConnection) -> bool:
        try:
            cookie = SimpleCookie(connection.headers.get("cookie", "")).get(_COOKIE)
        except CookieError:
            return False
        expires, _, signature = (cookie.value if cookie else "").partition(".")
        genuine = hmac.compare_digest(signature.encode(), self._sign(expires).encode())
        return genuine and expires.isdigit() and int(expires) > time.time()

    def _sign(self, expires: str) -> str:
        return hmac.new(self._key, expires.encode(), hashlib.sha256).hexdigest()

    async def _answer(self, request: Request) -> Response:
        if request.method == "POST" and request.url.path == _LOGIN:
            return await self._login(request)
        query = f"?{request.url.query}" if request.url.query else ""
        target = f"{request.url.path}{query}" if request.method == "GET" else "/"
        return _form(target, status=401)

    async def _login(self, request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _FORM_LIMIT_BYTES:
                return _form("/", status=413)
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        given = fields.get("password", [""])[0].encode()
        target = _local(fields.get("next", ["/"])[0])
        if not hmac.compare_digest(
            hashlib.sha256(given).digest(), hashlib.sha256(self._password).digest()
        ):
            await asyncio.sleep(_WRONG_PASSWORD_DELAY_S)
            return _form(target, status=401, message="That is not the password.")
        answer = RedirectResponse(target, status_code=303)
        expires = str(int(time.time() + self._session_s))
        answer.set_cookie(
            _COOKIE,
            f"{expires}.{self._sign(expires)}",
            max_age=int(self._session_s),
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer


def _local(target: str) -> str:
    """Return the target if it is a path of this server: a link must not send people elsewhere."""
    plain = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if plain and target.isprintable() else "/"


def _form(target: str, *, status: int, message: str = "") -> HTMLResponse:
    page = _PAGE.replace("{next}", escape(target)).replace("{message}", escape(message))
    return HTMLResponse(page, status_code=status, headers={"Cache-Control": "no-store"})
