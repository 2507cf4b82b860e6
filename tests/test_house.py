"""The house as a test: which room may touch what, and the habits that imports cannot show."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.application.use_cases import read_user_options
from importlinter.cli import lint_imports

from gis_server.settings import PROJECT_FOLDER

PACKAGE = PROJECT_FOLDER / "gis_server"
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOMS = {
    "cli",
    "core",
    "files",
    "journeys",
    "paint",
    "profiles",
    "sample",
    "scenes",
    "store",
    "translations",
    "views",
}


def name(path: Path) -> str:
    return str(path.relative_to(PROJECT_FOLDER))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def calls(root: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(root) if isinstance(node, ast.Call))


def at_import(module: ast.Module) -> Iterator[ast.AST]:
    """The nodes that run when a module is imported: everything outside function bodies."""
    queue: list[ast.AST] = list(module.body)
    while queue:
        node = queue.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            # decorators and defaults are evaluated at import, the body is not
            queue += [*getattr(node, "decorator_list", []), *node.args.defaults]
        else:
            queue += ast.iter_child_nodes(node)


def contracts() -> list[str]:
    options = read_user_options(config_filename=str(PROJECT_FOLDER / "pyproject.toml"))
    return [str(contract["id"]) for contract in options.contracts_options]


@pytest.mark.parametrize("contract", contracts())
def test_arrows(contract: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT_FOLDER)
    # its set-up of logging silences every logger there is, also for the tests that follow
    monkeypatch.setattr("importlinter.cli._configure_logging", lambda verbose: None)
    assert lint_imports(limit_to_contracts=(contract,), no_cache=True) == 0


def test_there_are_no_other_rooms() -> None:
    found = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert found <= ROOMS


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_module_is_a_drawer_or_a_scroll(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "common", "misc"}
    assert len(path.read_text("utf-8").splitlines()) < 500


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").rglob("*.py")), ids=name)
def test_core_knows_no_clock_and_opens_no_file(path: Path) -> None:
    clocks = {"now", "today", "utcnow", "monotonic"}
    for call in calls(tree(path)):
        if isinstance(call.func, ast.Attribute):
            assert call.func.attr not in clocks, f"{name(path)}:{call.lineno} asks for the time"
        elif isinstance(call.func, ast.Name):
            assert call.func.id not in {"open", "print", "input"}, f"{name(path)}:{call.lineno}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_nothing_is_read_from_the_environment_at_import(path: Path) -> None:
    for node in at_import(tree(path)):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "from_environment"}:
            pytest.fail(f"{name(path)}:{node.lineno} reads the environment at import")


@pytest.mark.parametrize("path", sorted((PACKAGE / "journeys").rglob("*.py")), ids=name)
def test_journeys_pass_connections_on_but_speak_no_sql(path: Path) -> None:
    allowed = {"Connection", "Engine", "RowMapping"}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sqlalchemy":
            if node.module == "sqlalchemy.exc":
                continue
            assert {alias.name for alias in node.names} <= allowed, f"{name(path)}:{node.lineno}"
        if isinstance(node, ast.Import):
            assert not any(alias.name.split(".")[0] == "sqlalchemy" for alias in node.names), name(path)


@pytest.mark.parametrize("room", ["cli", "views", "files", "paint", "profiles", "sample", "core"])
def test_the_database_library_stays_behind_the_journeys(room: str) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        for node in ast.walk(tree(path)):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [module or ""]
            assert not any(n.split(".")[0] == "sqlalchemy" for n in names), name(path)


@pytest.mark.parametrize("path", [p for p in MODULES if p.stem != "__init__"], ids=name)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree(path)), name(path)
