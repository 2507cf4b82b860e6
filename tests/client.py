"""A browser or program that talks to the application in tests: JSON, CSRF token, sign-in."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from city import PASSWORD
from flask import Flask
from werkzeug.test import TestResponse

from gis_server.core.access import CONSOLE
from gis_server.journeys.accounts import make_token
from gis_server.journeys.context import Context


class Client:
    """Sends the CSRF token of its session with every change, as the pages do; or a bearer token."""

    def __init__(self, app: Flask, token: str | None = None) -> None:
        self.http = app.test_client()
        self.token = token

    def raw(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = options.pop("headers", {})
        if self.token is not None:
            headers = {"Authorization": f"Bearer {self.token}", **headers}
        elif method not in ("GET", "HEAD"):
            headers = {"X-CSRFToken": self.csrf(), **headers}
        return self.http.open(path, method=method, headers=headers, **options)

    def csrf(self) -> str:
        return str(self.http.get("/api/session").json["csrf_token"])

    def get(self, path: str, **query: object) -> TestResponse:
        options = {"query_string": {k: str(v) for k, v in query.items()}} if query else {}
        return self.raw("GET", path, **options)

    def page(self, path: str, **headers: str) -> TestResponse:
        return self.raw(
            "GET", path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", **headers}
        )

    def post(self, path: str, body: object = None, **headers: str) -> TestResponse:
        # not Flask's own JSON: tests send numbers that it could not write
        return self.raw("POST", path, data=json.dumps(body), content_type="application/json", headers=headers)

    def delete(self, path: str) -> TestResponse:
        return self.raw("DELETE", path)

    def sign_in(self, login: str, password: str = PASSWORD, following: str = "") -> TestResponse:
        form = {"login": login, "password": password, "next": following, "csrf_token": self.csrf()}
        return self.http.post("/sign-in", data=form)


def signed_in(app: Flask, login: str) -> Client:
    client = Client(app)
    assert client.sign_in(login).status_code == 303
    return client


def token_client(app: Flask, ctx: Context, login: str) -> Client:
    now = datetime.now(UTC)
    return Client(app, make_token(ctx, CONSOLE, login, timedelta(days=1), now))
