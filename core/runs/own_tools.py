"""A person's own tools: files of Python, which are run where they are trusted, and installed packages."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from core.files import read_regular_file
from core.trust import TOOLS_FILE, is_trusted, user_folder, why_untrusted
from core.workspace import Workspace
from tools.registry import Tool

ENTRY_POINTS = "sensorloom.tools"
"""The entry point group of installed packages with tools: each names a `Tool` or a module that holds some."""


class ToolsFile(NamedTuple):
    """A file of tools, and what is in it."""

    path: Path
    source: bytes
    problem: str = ""
    """Why it is not run; empty where it may be."""


Found = tuple[tuple[Tool, ...], str, str]
"""Tools, where they are from, and what is wrong there."""


def files_of(workspace: Workspace) -> Iterator[ToolsFile]:
    """The person's own file of tools, which applies everywhere, then the folder's, which is run where a person trusts
    it."""
    for folder, own in ((user_folder(), True), (workspace.root, False)):
        path = folder / TOOLS_FILE
        try:
            source = read_regular_file(path)
        except OSError:
            continue
        trusted = own or is_trusted(workspace.root, TOOLS_FILE, source)
        reason = "" if trusted else f"{path.name} is not run: {why_untrusted(workspace.root, TOOLS_FILE)}"
        yield ToolsFile(path, source, reason)


def own_tools(files: Iterable[ToolsFile]) -> Iterator[Found]:
    """The tools of these files, then those of installed packages."""
    for file in files:
        yield ((), file.path.name, file.problem) if file.problem else _run_file(file.path, file.source)
    yield from _from_packages()


@lru_cache(maxsize=8)
def _run_file(path: Path, source: bytes) -> Found:
    """Run these bytes as a module, and no others: not what Python keeps compiled beside the file.

    Whatever it does wrong is said in one sentence.
    """
    module = ModuleType("sensorloom_tools")
    module.__file__ = str(path)
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module
    try:
        with _called_tools():
            exec(compile(source, str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        return (), path.name, f"{path.name}{_line(error, path)}: {type(error).__name__}: {_sentence(error)}"
    finally:
        if before is not None:
            sys.modules[module.__name__] = before
    own = _tools_in(module)
    return own, path.name, "" if own else f"{path.name} holds no tools: put `@tool` from tools.registry on a function"


@contextmanager
def _called_tools() -> Generator[None]:
    """While somebody's own tools are run, `tools` is what they import `tool` from, wherever it lies: in the
    distribution `sensorloom-env` it is part of another package, and `tools` may be anybody's."""
    here = Tool.__module__.removesuffix(".registry")
    if here == "tools":
        yield
        return
    others = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "tools"}
    ours = {name: module for name, module in sys.modules.items() if name == here or name.startswith(f"{here}.")}
    for name in others:
        del sys.modules[name]
    sys.modules.update({f"tools{name.removeprefix(here)}": module for name, module in ours.items()})
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "tools"]:
            del sys.modules[name]
        sys.modules.update(others)


def _line(error: BaseException, path: Path) -> str:
    """Where in the file it went wrong."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f", line {error.lineno}"
    lines: list[int] = []
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return f", line {lines[-1]}" if lines else ""


@lru_cache(maxsize=1)
def _from_packages() -> tuple[Found, ...]:
    loads: list[Found] = []
    for point in entry_points(group=ENTRY_POINTS):
        source = f"entry point `{point.name}` ({point.value})"
        try:
            loaded = point.load()
        except (Exception, SystemExit) as error:
            loads.append(((), source, f"{source}: {type(error).__name__}: {_sentence(error)}"))
            continue
        own = (loaded,) if isinstance(loaded, Tool) else _tools_in(loaded)
        loads.append((own, source, "" if own else f"{source} holds no tools"))
    return tuple(loads)


def _tools_in(module: ModuleType | Any) -> tuple[Tool, ...]:
    return tuple(dict.fromkeys(value for value in vars(module).values() if isinstance(value, Tool)))


def _sentence(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return " ".join(text.split())[:300] or "no message"
