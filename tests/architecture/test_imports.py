"""Which way imports run. The rules are data; a forbidden edge is reported with the file that has it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"

FORBIDDEN = {
    "mroptimum": ("cloudmr",),
    "mroptimum.phantom": tuple(
        f"mroptimum.{room}" for room in ("convention", "noise", "fourier", "coils", "reconstruction", "snr", "run")
    ),
    "mroptimum.package": ("mroptimum.report", "mroptimum.run"),
    "mroptimum.roi": ("mroptimum.report", "mroptimum.run"),
    "cloudmr.model": (
        *(
            f"cloudmr.{room}"
            for room in ("database", "storage", "compute", "services", "api", "worker", "client", "cli")
        ),
        "cloudmr.settings",
        "mroptimum.run",
        "mroptimum.rawdata",
        "sqlalchemy",
        "fastapi",
        "httpx",
    ),
    "cloudmr.services": (
        "cloudmr.storage.local",
        "cloudmr.storage.s3",
        "cloudmr.compute.local",
        "cloudmr.compute.step_functions",
        "cloudmr.compute.supervisor",
        "cloudmr.api",
        "cloudmr.cli",
        "cloudmr.worker",
        "fastapi",
        "boto3",
        "mroptimum.run",
    ),
    "cloudmr.aws": tuple(f"cloudmr.{room}" for room in ("services", "api", "database", "worker", "deploy", "cli")),
    "cloudmr.database": ("cloudmr.services", "cloudmr.api", "fastapi"),
    "cloudmr.storage": ("cloudmr.services", "cloudmr.api", "cloudmr.database", "fastapi"),
    "cloudmr.compute": ("cloudmr.services", "cloudmr.api", "cloudmr.database", "cloudmr.worker", "fastapi"),
    "cloudmr.api": ("sqlalchemy", "cloudmr.compute", "cloudmr.worker", "boto3"),
    "cloudmr.worker": ("cloudmr.services", "cloudmr.api", "cloudmr.database", "fastapi", "sqlalchemy"),
    "cloudmr.deploy": (
        *(f"cloudmr.{room}" for room in ("services", "api", "database", "cli", "storage", "compute")),
        "boto3",
        "botocore",
        "fastapi",
        "sqlalchemy",
        "typer",
    ),
    "cloudmr.client": ("cloudmr.services", "cloudmr.api", "cloudmr.database", "fastapi", "sqlalchemy"),
}
ENTRY_POINTS = ("cloudmr.cli", "cloudmr.api.main", "cloudmr.wiring")
"""The only modules that may import `cloudmr.wiring`."""

KNOW_BOTO3 = ("cloudmr.aws", "cloudmr.storage.s3")
"""The only modules that may import boto3 and botocore."""


@cache
def modules() -> dict[str, Path]:
    found = {}
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, *, at_import_time: bool = False) -> Iterator[str]:
    """Yield the absolute names a module imports; `at_import_time` leaves out functions and type checking.

    Modules taken from a package count as themselves, not as the package.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(_outside_functions(tree)) if at_import_time else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are absolute"
            base = node.module or ""
            names = [f"{base}.{alias.name}" for alias in node.names]
            if not set(names) <= modules().keys():
                yield base
            yield from names


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        is_typing = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if is_typing or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        yield child
        yield from _outside_functions(child)


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


@pytest.mark.parametrize(("room", "forbidden"), FORBIDDEN.items())
def test_no_room_imports_what_it_must_not_know(room: str, forbidden: tuple[str, ...]) -> None:
    edges = {
        f"{name} -> {imported}"
        for name, path in modules().items()
        if within(name, room)
        for imported in imports(name, path)
        if any(within(imported, other) for other in forbidden)
    }
    assert not edges


def test_only_two_rooms_know_boto3() -> None:
    edges = {
        f"{name} -> {imported}"
        for name, path in modules().items()
        if not any(within(name, room) for room in KNOW_BOTO3)
        for imported in imports(name, path)
        if within(imported, "boto3") or within(imported, "botocore")
    }
    assert not edges


def test_only_entry_points_know_the_wiring() -> None:
    edges = {
        name
        for name, path in modules().items()
        if not any(within(name, entry) for entry in ENTRY_POINTS)
        for imported in imports(name, path)
        if within(imported, "cloudmr.wiring")
    }
    assert not edges


def test_there_is_no_cycle() -> None:
    known = modules()
    graph = {
        name: {i for i in imports(name, path, at_import_time=True) if i in known and i != name}
        for name, path in known.items()
    }
    while leaves := {name for name, needs in graph.items() if not needs & graph.keys()}:
        graph = {name: needs for name, needs in graph.items() if name not in leaves}
    assert not graph


def test_the_rules_name_rooms_that_exist() -> None:
    assert FORBIDDEN.keys() <= set(modules())
