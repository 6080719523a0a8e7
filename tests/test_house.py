"""The house in order: who imports whom, how long things are, and that names are names.

Each rule has a list of what does not keep it yet. The lists only shrink: what keeps its rule by now must leave its
list, so that it cannot grow back. Nothing is ever added to them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]

MOST_LINES, MOST_LINES_OF_TESTS, MOST_METHODS, MOST_LINES_OF_A_FUNCTION = 300, 600, 20, 60

LONG_FILES: set[str] = set()
LARGE_CLASSES: set[str] = set()
LONG_FUNCTIONS: set[str] = set()

NO_NAMES = frozenset("found given got kept made one place said stuff take taken thing things".split())
"""Words that say nothing of what they name, with or without an underscore before them."""

NAMELESS_ROOMS: set[str] = set()
"""Folders in which something is still called by one of them."""


@cache
def modules() -> dict[str, ast.Module]:
    """Every file of the project, by its path, with what stands in it."""
    paths = [path for part in ("core", "tui", "tools", "tests") for path in sorted((ROOT / part).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_bytes()) for path in paths}


def lines_of(path: str) -> int:
    return len((ROOT / path).read_bytes().splitlines())


def classes() -> Iterator[tuple[str, ast.ClassDef]]:
    for path, module in modules().items():
        yield from ((f"{path}: {node.name}", node) for node in ast.walk(module) if isinstance(node, ast.ClassDef))


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path, module in modules().items():
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path}: {node.name}", node


def no_names_in(module: ast.Module) -> Iterator[str]:
    """Every binding in a file that is called by a word that is no name, with its line."""
    for node in ast.walk(module):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                pass
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                pass
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.ExceptHandler(name=str(name)):
                pass
            case _:
                continue
        if name.strip("_") in NO_NAMES:
            yield f"{node.lineno} {name}"


def room_of(path: str) -> str:
    return path.rpartition("/")[0]


def holds(over: set[str], known: set[str]) -> None:
    """Nothing is over the rule but what is known to be, and what is known is over it still."""
    assert over - known == set(), f"new, and over the rule: {sorted(over - known)}"
    assert known - over == set(), f"within the rule by now; take it off the list: {sorted(known - over)}"


def test_no_imports_run_in_a_circle():
    """Imports inside functions and those for types count: who takes part in a circle cannot be read alone."""
    graph = grimp.build_graph("tui", "core", "tools", cache_dir=None)
    imports = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError with the modules of a circle


def test_tests_live_in_the_room_of_what_they_test():
    for part in ("core", "tui"):
        rooms = {path.name for path in (ROOT / part).iterdir() if (path / "__init__.py").exists()}
        tested = {path.name for path in (ROOT / "tests" / part).iterdir() if any(path.glob("test_*.py"))}
        assert tested <= rooms, f"no rooms of {part}: {sorted(tested - rooms)}"


def test_no_file_is_too_long():
    most = {path: MOST_LINES_OF_TESTS if path.startswith("tests/") else MOST_LINES for path in modules()}
    holds({path for path in modules() if lines_of(path) > most[path]}, LONG_FILES)


def test_no_class_has_too_many_methods():
    def methods(node: ast.ClassDef) -> int:
        return sum(isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) for part in node.body)

    holds({name for name, node in classes() if methods(node) > MOST_METHODS}, LARGE_CLASSES)


def test_no_function_is_too_long():
    def lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
        return (node.end_lineno or node.lineno) - node.lineno + 1

    holds({name for name, node in functions() if lines(node) > MOST_LINES_OF_A_FUNCTION}, LONG_FUNCTIONS)


def test_names_are_names():
    nameless = {path: names for path, module in modules().items() if (names := list(no_names_in(module)))}
    rooms = {room_of(path) for path in nameless}
    new = "\n".join(
        f"{path}: {', '.join(names)}" for path, names in nameless.items() if room_of(path) not in NAMELESS_ROOMS
    )
    assert not new, f"called by a word that says nothing:\n{new}"
    holds(rooms, NAMELESS_ROOMS)
