"""``gis-server user``: accounts, from the server's own command line."""

import sys
from datetime import UTC, datetime, timedelta

import click

from gis_server.cli import translate
from gis_server.cli.opening import opened, read_settings
from gis_server.cli.terminal import say
from gis_server.core.access import CONSOLE, Role, Tier
from gis_server.core.account import Account
from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg
from gis_server.journeys import accounts
from gis_server.journeys.accounts import NewAccount

_GENERATE = click.option(
    "--generate", is_flag=True, help=str(msg("由系统生成密码并显示一次，而不是在终端输入。"))
)
_ROLES = [role.value for role in Role if role is not Role.VISITOR]


@click.group(help=str(msg("账号：新增、列出、停用。")))
def user() -> None:
    """Commands on accounts."""


def _password(*, generate: bool) -> str | None:
    """A password typed twice, or a line of stdin for programs; None when one is to be made."""
    if generate:
        return None
    if not sys.stdin.isatty():
        given = sys.stdin.readline().rstrip("\n")
        if not given:
            raise UnusableInput(
                msg("请在终端输入密码，或经标准输入给出一行，或加 --generate。"), field="password"
            )
        return given
    words = translate()
    asked: str = click.prompt(
        msg("密码").render(words),
        hide_input=True,
        confirmation_prompt=msg("再输一次").render(words),
        err=True,
    )
    return asked


@user.command("add", help=str(msg("新增账号；密码在终端输入或由系统生成，不作为参数。")))
@click.argument("login")
@click.option("--name", required=True, help=str(msg("姓名或岗位。")))
@click.option("--role", required=True, type=click.Choice(_ROLES), help=str(msg("岗位。")))
@click.option("--area", help=str(msg("辖区的区划代码；不给则为全市。")))
@click.option("--tier", type=click.Choice([t.key for t in Tier]), help=str(msg("权限级别；默认 internal。")))
@_GENERATE
def add(login: str, *, name: str, role: str, area: str | None, tier: str | None, generate: bool) -> None:
    """Add an account."""
    password = _password(generate=generate)
    new = NewAccount(login, name, Role(role), area, None if tier is None else Tier[tier.upper()])
    with opened(read_settings()) as ctx:
        made = accounts.add_account(ctx, CONSOLE, new, password, datetime.now(UTC))
    say(msg("已新增账号 {login}。", login=login))
    if password is None:
        click.echo(made)


@user.command("list", help=str(msg("列出账号。")))
def list_accounts() -> None:
    """List accounts, tab-separated."""
    with opened(read_settings()) as ctx:
        found = accounts.listing(ctx, CONSOLE)
    for account in found:
        click.echo("\t".join(_line(account)))


def _line(account: Account) -> tuple[str, ...]:
    state = msg("在用") if account.disabled_at is None else msg("已停用")
    area = account.area_path[-1] if account.area_path else "-"
    return account.login, account.role, account.tier.key, area, state.render(translate()), account.name


@user.command("disable", help=str(msg("停用账号；其会话与令牌随即失效。")))
@click.argument("login")
def disable(login: str) -> None:
    """Close an account."""
    with opened(read_settings()) as ctx:
        accounts.disable(ctx, CONSOLE, login, datetime.now(UTC))
    say(msg("已停用账号 {login}。", login=login))


@user.command("password", help=str(msg("换密码；用旧密码开的会话与令牌随即失效。")))
@click.argument("login")
@_GENERATE
def password(login: str, *, generate: bool) -> None:
    """Set a new password."""
    given = _password(generate=generate)
    with opened(read_settings()) as ctx:
        made = accounts.set_password(ctx, CONSOLE, login, given, datetime.now(UTC))
    say(msg("已换账号 {login} 的密码。", login=login))
    if given is None:
        click.echo(made)


@user.command("token", help=str(msg("给程序用的访问令牌，只显示这一次；换密码或停用账号使其失效。")))
@click.argument("login")
@click.option(
    "--days", type=click.IntRange(1, 3650), default=365, show_default=True, help=str(msg("有效天数。"))
)
def token(login: str, *, days: int) -> None:
    """Make a token for the API."""
    with opened(read_settings()) as ctx:
        click.echo(accounts.make_token(ctx, CONSOLE, login, timedelta(days=days), datetime.now(UTC)))
