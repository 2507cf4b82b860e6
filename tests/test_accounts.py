"""Sign-in, sessions, tokens, roles and the audit trail."""

import re
import stat
from datetime import UTC, datetime, timedelta

import pytest
from city import COMMUNITIES, PASSWORD, PEOPLE, TOWNS
from client import Client, signed_in, token_client
from flask import Flask
from sqlalchemy import text

from gis_server.core.access import CONSOLE, Actor, Role, Territory, Tier
from gis_server.core.errors import Conflict, NotAllowed, NotFound, SignInRequired, UnusableInput
from gis_server.journeys import accounts
from gis_server.journeys.accounts import NewAccount
from gis_server.journeys.context import Context

NOW = datetime.now(UTC)


def rows(ctx: Context, act: str) -> list[tuple[str, str | None, str]]:
    return [(r.actor, r.subject, r.outcome) for r in accounts.audit_trail(ctx, CONSOLE) if r.act == act]


def test_a_password_opens_a_session_and_sign_out_closes_it(app: Flask) -> None:
    client = Client(app)
    assert client.get("/api/session").json["role"] == "visitor"
    answer = client.sign_in("operator", following="/incidents")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/incidents")
    session = client.get("/api/session").json
    assert (session["name"], session["role"], session["tier"], session["territory"]) == (
        "operator",
        "operator",
        "internal",
        [],
    )
    assert client.raw("POST", "/sign-out").status_code == 303
    assert client.get("/api/session").json["role"] == "visitor"


def test_the_session_cookie_is_shut_to_scripts_and_other_sites(app: Flask) -> None:
    set_by_sign_in = Client(app).sign_in("operator").headers.getlist("Set-Cookie")
    # the other one marks the phone for its own queue, opens nothing, and must be read by the page's script
    (cookie,) = [one for one in set_by_sign_in if one.startswith(f"{app.config['SESSION_COOKIE_NAME']}=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert PASSWORD not in cookie


def test_an_unknown_login_and_a_wrong_password_sound_the_same(app: Flask, city_ctx: Context) -> None:
    sentences = set()
    for login, password in (("operator", "wrong password"), ("nobody", PASSWORD), ("", ""), ("operator", "")):
        answer = Client(app).sign_in(login, password)
        assert answer.status_code == 401
        sentences.add(re.search(r'role="alert">.*?<span>(.*?)</span>', answer.text, re.S).group(1))
    assert len(sentences) == 1
    assert [outcome for _, _, outcome in rows(city_ctx, "sign_in")] == ["denied"] * 4
    assert PASSWORD not in str(accounts.audit_trail(city_ctx, CONSOLE))


def test_the_eleventh_attempt_within_a_minute_has_to_wait(app: Flask) -> None:
    client = Client(app)
    statuses = [client.sign_in("operator", "wrong password").status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    answer = client.sign_in("operator")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_an_address_of_another_site_is_not_followed(app: Flask) -> None:
    for following in (
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
        "\\evil",
        "javascript:x",
        "/\x0bevil",
    ):
        assert Client(app).sign_in("operator", following=following).headers["Location"] == "/"


def test_disabling_an_account_ends_its_sessions_and_tokens(app: Flask, city_ctx: Context) -> None:
    browser, program = signed_in(app, "operator"), token_client(app, city_ctx, "operator")
    assert browser.get("/api/incidents").status_code == program.get("/api/incidents").status_code == 200
    accounts.disable(city_ctx, CONSOLE, "operator", NOW)
    assert browser.get("/api/incidents").status_code == program.get("/api/incidents").status_code == 401
    assert Client(app).sign_in("operator").status_code == 401


def test_a_new_password_ends_the_sessions_of_the_old_one(app: Flask, city_ctx: Context) -> None:
    browser, program = signed_in(app, "operator"), token_client(app, city_ctx, "operator")
    new = accounts.set_password(city_ctx, CONSOLE, "operator", None, NOW)
    assert len(new) >= 16
    assert browser.get("/api/incidents").status_code == program.get("/api/incidents").status_code == 401
    assert Client(app).sign_in("operator", PASSWORD).status_code == 401
    assert Client(app).sign_in("operator", new).status_code == 303


def test_a_session_ends_after_twelve_hours_of_work(
    app: Flask, city_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in(app, "operator")
    later = datetime.now(UTC) + timedelta(hours=12, minutes=1)
    monkeypatch.setattr("gis_server.views.sessions.now", lambda: later)
    assert browser.get("/api/incidents").status_code == 401


def test_tokens_expire_and_cannot_be_forged(app: Flask, city_ctx: Context) -> None:
    old = accounts.make_token(city_ctx, CONSOLE, "operator", timedelta(days=1), NOW - timedelta(days=2))
    good = accounts.make_token(city_ctx, CONSOLE, "operator", timedelta(days=1), NOW)
    for token, status in ((good, 200), (old, 401), (good[:-2] + "xx", 401), ("", 401), ("x" * 5000, 401)):
        assert Client(app, token).get("/api/incidents").status_code == status
    # a bad token is told as such even where nothing but a visitor is needed
    assert Client(app, "nonsense").get("/api/session").status_code == 401


def test_roles_and_limits_of_new_accounts(city_ctx: Context) -> None:
    def add(new: NewAccount, password: str | None = None, actor: Actor = CONSOLE) -> str:
        return accounts.add_account(city_ctx, actor, new, password, NOW)

    with pytest.raises(Conflict) as taken:
        add(NewAccount("operator", "又一个", Role.OPERATOR))
    assert taken.value.field == "login"
    for login in ("", "a", "a b", "a/b", "x" * 41, "a\x00b"):
        with pytest.raises(UnusableInput) as wrong:
            add(NewAccount(login, "x", Role.OPERATOR))
        assert wrong.value.field == "login"
    for password in ("short", "x" * 201, "my-fresh-name-1"):
        with pytest.raises(UnusableInput) as wrong:
            add(NewAccount("fresh-name", "x", Role.OPERATOR), password)
        assert wrong.value.field == "password"
    with pytest.raises(UnusableInput) as wrong:
        add(NewAccount("screen", "x", Role.DISPLAY, tier=Tier.INTERNAL))
    assert wrong.value.field == "tier"
    with pytest.raises(UnusableInput) as wrong:
        add(NewAccount("lost", "x", Role.OPERATOR, "999999"))
    assert wrong.value.field == "area"
    operator = Actor(1, "operator", Role.OPERATOR)
    with pytest.raises(NotAllowed):
        add(NewAccount("mine", "x", Role.OPERATOR), actor=operator)
    town_admin = Actor(1, "town-admin", Role.ADMIN, Territory(("230881", TOWNS[0])))
    with pytest.raises(NotAllowed):
        add(NewAccount("over", "x", Role.OPERATOR), actor=town_admin)
    add(NewAccount("within", "x", Role.GRID_WORKER, COMMUNITIES[0]), actor=town_admin)
    with pytest.raises(NotAllowed):
        accounts.disable(city_ctx, town_admin, "east", NOW)
    with pytest.raises(NotFound):
        accounts.disable(city_ctx, CONSOLE, "nobody", NOW)
    assert {a.login for a in accounts.listing(city_ctx, town_admin)} == {"west", "worker", "within"}
    assert ("town-admin", "within", "done") in rows(city_ctx, "account_add")


def test_no_password_is_kept_in_clear_text(city_ctx: Context) -> None:
    with city_ctx.engine.connect() as conn:
        hashes = list(conn.execute(text("SELECT password_hash FROM account")).scalars())
    assert len(hashes) == len(PEOPLE)
    assert all(h.startswith("$argon2id$") for h in hashes)
    assert len(set(hashes)) == len(hashes)


def test_sample_accounts_are_made_once_with_random_passwords_in_a_private_file(
    app: Flask, city_ctx: Context
) -> None:
    path = accounts.make_sample_accounts(city_ctx, NOW)
    first = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path == accounts.make_sample_accounts(city_ctx, NOW)
    assert path.read_text() == first
    lines = [line.split("\t") for line in first.splitlines()]
    passwords = [line[1] for line in lines]
    assert len(set(passwords)) == len(passwords)
    assert all(len(password) >= 16 for password in passwords)
    made = {account.login: account for account in accounts.listing(city_ctx, CONSOLE)}
    assert made["town-operator"].area_path == ("230881", TOWNS[0])
    assert {account.role for account in made.values()} == set(Role) - {Role.VISITOR}
    login, password = next((line[0], line[1]) for line in lines if line[0] == "town-operator")
    assert accounts.sign_in(city_ctx, login, password, NOW).login == login


def test_sample_passwords_of_a_database_that_is_gone_are_not_listed_again(ctx: Context) -> None:
    path = ctx.settings.var / accounts.ACCOUNTS_FILE
    path.parent.mkdir(parents=True)
    path.write_text("admin\told-password\tadmin\t-\told\n")
    accounts.make_sample_accounts(ctx, NOW)
    assert "old-password" not in path.read_text()
    assert path.read_text().count("admin\t") == 2  # login and role of one line


def test_denials_are_written_down(app: Flask, city_ctx: Context) -> None:
    east = token_client(app, city_ctx, "east")
    assert east.get("/api/wall-links").status_code == 200
    worker = token_client(app, city_ctx, "worker")
    assert worker.get("/api/wall-links").status_code == 403
    assert rows(city_ctx, "request") == [("worker", "GET /api/wall-links", "denied")]


def test_reading_what_is_protected_is_written_down_and_only_that(app: Flask, city_ctx: Context) -> None:
    admin, operator = (token_client(app, city_ctx, login) for login in ("admin", "operator"))
    for client in (admin, operator):
        for layer in ("grid", "camera"):
            assert client.get(f"/api/layers/{layer}/features").status_code == 200
    assert rows(city_ctx, "protected_read") == [("admin", "camera", "done")]


def test_the_trail_cannot_be_rewritten(app: Flask, city_ctx: Context) -> None:
    with pytest.raises(SignInRequired):
        accounts.sign_in(city_ctx, "operator", "wrong", NOW)
    for statement in ("DELETE FROM audit", "UPDATE audit SET actor = 'x'", "TRUNCATE audit"):
        with pytest.raises(Exception, match="append-only"), city_ctx.engine.begin() as conn:
            conn.execute(text(statement))
