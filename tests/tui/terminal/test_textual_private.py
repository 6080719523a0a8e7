"""The canary: what this program relies on in Textual and Textual does not promise.

When this fails after Textual moved, look at `tui/terminal/textual_private.py`, at the name the failure gives, and at
what Textual has in its place; then run `tests/tui` whole, and raise the version in pyproject.toml.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest
from textual import _xterm_parser, constants
from textual._styles_cache import StylesCache
from textual.app import App
from textual.driver import Driver
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget

ROOT = Path(__file__).parents[3]
HOME = ROOT / "tui" / "terminal" / "textual_private.py"
RELIED_ON: dict[type, tuple[str, ...]] = {
    App: ("_handle_exception",),
    Screen: ("_compositor_refresh",),
    MessagePump: ("_dispatch_message",),
    Widget: ("_scroll_update",),
    StylesCache: ("render_line", "clear"),
    Driver: ("no_automatic_restart", "process_message"),
    LinuxDriver: ("_sigtstp_application", "_sigcont_application", "run_input_thread", "start_application_mode"),
    WriterThread: ("write", "run", "stop"),
    _xterm_parser.XTermParser: ("_sequence_to_key_events", "feed"),
}
SET_IN_INSTANCES: dict[type, tuple[str, ...]] = {
    Widget: ("_styles_cache", "_bindings"),
    Screen: ("_repaint_required", "_compositor"),
    Driver: ("_loop", "_app", "_auto_restart"),
    LinuxDriver: ("_writer_thread", "_must_signal_resume"),
    WriterThread: ("_queue", "_file"),
}


def test_the_version_is_exact_and_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"textual=={version('textual')}" in project["dependencies"]


@pytest.mark.parametrize(("owner", "name"), [(owner, name) for owner, names in RELIED_ON.items() for name in names])
def test_what_is_called_or_replaced_is_there(owner: type, name: str):
    assert callable(getattr(owner, name, None)), f"textual no longer has {owner.__name__}.{name}"


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for owner, names in SET_IN_INSTANCES.items() for name in names]
)
def test_what_is_read_or_set_is_there(owner: type, name: str):
    assert any(name in _private_of(base) | _set_in(base) for base in owner.__mro__), (
        f"textual no longer sets {owner.__name__}.{name}"
    )


def test_the_signatures_are_as_they_were():
    rows = list(inspect.signature(StylesCache.render_line).parameters)
    assert rows == [
        "self", "styles", "y", "size", "content_size", "padding", "base_background", "background",
        "render_content_line", "border_title", "border_subtitle", "opacity", "ansi_theme", "native_ansi",
    ], f"StylesCache.render_line has other parameters: {rows}"  # fmt: skip
    keys = inspect.signature(_xterm_parser.XTermParser._sequence_to_key_events).parameters  # pyright: ignore[reportPrivateUsage]
    assert list(keys) == ["self", "sequence", "alt"]
    assert 0 < constants.ESCAPE_DELAY < 1


def test_no_other_module_touches_what_textual_keeps_private():
    foreign = {f"{path.relative_to(ROOT)}:{line}: {name}" for path in _modules() for line, name in _touched(path)}
    assert not foreign


def test_no_class_of_ours_has_by_chance_a_private_name_of_the_class_it_builds_on():
    """Two owners of one attribute: what we keep in it, Textual overwrites, or the other way round."""
    clashes: list[str] = []
    for path in _modules():
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, owner in inspect.getmembers(module, inspect.isclass):
            if owner.__module__ != module.__name__:
                continue
            theirs = {
                private
                for base in owner.__mro__
                if base.__module__.startswith("textual.")
                for private in _set_in(base) | _private_of(base)
            }
            clashes += [f"{path.name} {name}.{private}" for private in sorted(theirs & _set_in(owner))]
    assert not clashes


def _modules() -> list[Path]:
    return [path for path in sorted((ROOT / "tui").rglob("*.py")) if path != HOME and path.name != "__main__.py"]


def _touched(path: Path) -> Iterator[tuple[int, str]]:
    """Private modules of Textual that are imported, and private attributes of anything but `self` and `cls`."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.ImportFrom(module=str(module)) if module.startswith("textual") and "._" in module:
                yield node.lineno, module
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name) if _is_private(name):
                if name in _all_private():
                    yield node.lineno, f"super().{name}"
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                pass
            case ast.Attribute(attr=name) if _is_private(name) and name in _all_private():
                yield node.lineno, name
            case _:
                pass


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@cache
def _all_private() -> frozenset[str]:
    return frozenset(
        name for owner in (App, Screen, Widget, LinuxDriver, WriterThread) for base in owner.__mro__
        if base.__module__.startswith("textual.") for name in _set_in(base) | _private_of(base)
    )  # fmt: skip


@cache
def _private_of(owner: type) -> frozenset[str]:
    return frozenset(name for name in vars(owner) if _is_private(name) and not name.startswith("_abc"))


@cache
def _set_in(owner: type) -> frozenset[str]:
    """Private names that a class defines, or assigns in its instances."""
    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return frozenset()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                names.add(node.attr)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_on_"):
            names.add(node.name)
    return frozenset(filter(_is_private, names))
