from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from core.errors import WorkspaceError
from core.workspace import open_workspace
from tui.app import SensorloomApp
from tui.keys import ActionId, offered
from tui.palette import Actions
from tui.screens.actions import ACTIONS
from tui.screens.help import help_lines
from tui.screens.main import MainScreen
from tui.screens.rebinding import EVERY_ACTION, rebound
from tui.screens.sorting import SortScreen
from tui.widgets.lines import plain_text

ROOT = Path(__file__).parents[2]

NAMED = {
    "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "tab", "shift+tab", "enter", "escape",
    "backspace", "delete", "space", "slash", "exclamation_mark", "question_mark", "left_square_bracket",
    "right_square_bracket", "left_curly_bracket", "right_curly_bracket", "less_than_sign", "greater_than_sign",
    "plus", "minus", "equals_sign", "number_sign", "comma", "asterisk", "left_parenthesis", "right_parenthesis",
    "vertical_line", "ampersand", "tilde", "percent_sign", "backslash", "quotation_mark",
}  # fmt: skip
SAFE = NAMED | {f"f{number}" for number in range(2, 10)} | {f"ctrl+{letter}" for letter in "defgjklnoprtuwxyz"}


def test_every_key_arrives_over_ssh_and_tmux():
    for action in EVERY_ACTION:
        for key in action.keys.split(","):
            assert key in SAFE or re.fullmatch(r"[a-zEG-Z0-9]", key), f"{action.id}: {key}"


def test_letters_that_a_split_arrow_key_leaves_do_nothing():
    assert not {key for action in ACTIONS for key in action.keys.split(",")} & set("ABCDFH")


def test_every_key_of_the_screen_comes_from_the_tables():
    """A `Binding` elsewhere, or a sentence with a key in it, would not follow when somebody rebinds it."""
    tables = {"tui/keys.py", "tui/local_keys.py", "tui/plot_keys.py", "tui/screens/actions.py"}
    for path in sorted((ROOT / "tui").rglob("*.py")):
        if path.relative_to(ROOT).as_posix() in tables:
            continue
        for node in texts_and_calls(ast.parse(path.read_bytes())):
            place_of = f"{path.relative_to(ROOT)}:{node.lineno}"
            if isinstance(node, ast.Call):
                assert not (isinstance(node.func, ast.Name) and node.func.id == "Binding"), place_of
            else:
                assert not KEY_IN_A_SENTENCE.search(str(node.value)), f"{place_of}: {node.value}"


KEY_IN_A_SENTENCE = re.compile(
    r"(^|[ ·(:;,])(esc|⏎|enter|tab|del|f\d|ctrl\+[a-z]|[b-zB-HJ-Z!?/←→]) (?:[a-z]+s|ends|undo)\b|⏎|\besc\b"
)
"""A key and what it does: `u takes it back`, `esc stops it`."""


def texts_and_calls(module: ast.Module) -> Iterator[ast.Constant | ast.Call]:
    """Every text and every call of a module, docstrings left out."""
    documents = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Call) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents
        ):
            yield node


def test_no_two_actions_share_a_key_or_a_name():
    keys = [(key, action.where) for action in EVERY_ACTION for key in action.keys.split(",")]
    assert sorted(set(keys)) == sorted(keys)
    names = [action.id for action in EVERY_ACTION]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"turn.rum": "f5"}, "did you mean `turn.run`"),
        ({"turn.run": "x"}, "both"),
        ({"turn.run": ""}, "no key"),
        ({"sort.turned": "o"}, "`o` would be both `sort.turned` and `sort.next`"),
        ({"sort.turned": "j"}, "`j` would be both `move.down` and `sort.turned`"),
        ({"saved.use": "f5"}, "numbers"),
    ],
)
def test_a_wrong_rebinding_is_refused_in_one_sentence(keys: dict[str, str], reason: str):
    with pytest.raises(WorkspaceError, match=reason) as caught:
        rebound(keys)
    assert "\n" not in str(caught.value)


def test_the_help_has_every_action_and_its_own_key():
    text = "\n".join(plain_text(line) for line in help_lines(rebound({"turn.run": "f5"}), 80))
    for action in ACTIONS:
        assert action.id in text
    assert re.search(r"^ +f5 +ask the model", text, re.MULTILINE)


def test_the_help_has_each_heading_once():
    headings = [line[0][0] for line in help_lines(ACTIONS, 80) if line and line[0][1] == "label"]
    assert len(headings) == len(set(headings))


async def test_a_rebound_key_acts_and_the_old_one_does_not(workspace: Any, add_thread: Any, until: Any):
    add_thread(1)
    (workspace.root / "sensorloom.toml").write_text('[keys]\n"app.help" = "f5"\n')
    app = SensorloomApp(open_workspace(str(workspace.root)))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: getattr(app.screen, "ready", False))
        await pilot.press("question_mark")
        assert isinstance(app.screen, MainScreen)
        await pilot.press("f5")
        await until(pilot, lambda: type(app.screen).__name__ == "HelpScreen")


async def test_keys_of_dialogs_and_the_editor_are_rebound_and_shown_so(workspace: Any, add_thread: Any, until: Any):
    add_thread(1)
    keys = {
        "sort.turned": "f5",
        "sort.back": "f6",
        "editor.leave": "f4",
        "conversation.next_turn": "f8",
        "turn.edit": "f9",
    }
    chosen = "".join(f'"{name}" = "{key}"\n' for name, key in keys.items())
    (workspace.root / "sensorloom.toml").write_text(f"[keys]\n{chosen}")
    app = SensorloomApp(open_workspace(str(workspace.root)))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.screen_stack[0]
        assert isinstance(screen, MainScreen)
        await until(pilot, lambda: screen.ready and screen.parts.thread.work)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, SortScreen))
        edge = str(app.screen.query_one("#dialog").border_subtitle)
        assert edge == "⏎ sort · f5 turned round · o next · f6 back"
        await pilot.press("escape", "f6")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("2", "home", "J")
        assert screen.parts.thread.conversation.index == 0
        await pilot.press("f8", "f9")
        await until(pilot, lambda: screen.query("#editor:focus-within") and screen.key_bar.situation == "editor")
        bar = screen.key_bar.render_line(0).text
        assert "f4 keep draft" in bar and "ctrl+t save" in bar
        await pilot.press("x", "f4")
        await until(pilot, lambda: not screen.query("#editor"))
        assert screen.parts.thread.conversation.index > 0
        await until(pilot, lambda: any("f9 opens it again" in note.message for note in app._notifications))  # pyright: ignore[reportPrivateUsage] - what was said


async def test_every_action_has_its_function_and_every_function_an_action(workspace: Any, until: Any):
    app = SensorloomApp(workspace)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: getattr(app.screen_stack[0], "ready", False))
        screen = app.screen_stack[0]
        assert isinstance(screen, MainScreen)
        functions = {action.id: action.function(screen.parts) for action in ACTIONS}
        assert all(callable(function) for function in functions.values())
        does = [
            str(getattr(function, "args", "")) + repr(getattr(function, "func", function))
            for function in functions.values()
        ]
        assert len(set(does)) == len(does), "two actions do the same"


def test_every_id_is_declared_once():
    declared = [action.id for action in EVERY_ACTION]
    assert sorted(get_args(ActionId)) == sorted(declared)


def test_the_key_bar_offers_what_applies_in_each_situation():
    for situation in ("threads", "conversation", "proposal", "stale", "running", "sensors"):
        ranks = [action.bar[situation] for action in offered(ACTIONS, situation)]
        assert ranks and len(set(ranks)) == len(ranks)
    needs = {action.id: action.needs for action in ACTIONS}
    for action in offered(ACTIONS, "running"):
        assert needs[action.id] == "nothing", "while a thread runs, what needs it idle is refused"
    for action in offered(ACTIONS, "proposal"):
        assert needs[action.id] != "decided", "while a proposal waits, what needs it decided on is refused"


async def test_the_palette_finds_an_action_under_every_word_that_the_screen_uses_for_it(workspace: Any, until: Any):
    (workspace.root / "sensorloom.toml").write_text('[keys]\n"turn.settle" = "f5"\n')
    app = SensorloomApp(open_workspace(str(workspace.root)))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: getattr(app.screen_stack[0], "ready", False))
        provider = Actions(app.screen_stack[0])
        for action in ACTIONS:
            words = re.findall(r"[a-z$]{3,}", f"{action.label} {action.help} {action.words}".lower())
            for word in words:
                titles = [hit.text or "" async for hit in provider.search(word)]
                assert any(action.help in title for title in titles), f"{action.id}: {word}"
        for words, action in (
            ("stale", "decide on stale"),
            ("settle", "decide on stale"),
            ("good", "verdict: accept"),
            ("put aside", "discard"),
            ("trash", "U"),
        ):
            titles = [hit.text or "" async for hit in provider.search(words)]
            assert any(action in title for title in titles), words
        assert any(title.endswith("f5") for title in [hit.text or "" async for hit in provider.search("stale")])


async def test_a_key_that_two_places_share_moves_for_one_of_them_alone(workspace: Any, add_thread: Any, until: Any):
    add_thread(1)
    (workspace.root / "sensorloom.toml").write_text('[keys]\n"thread.new" = "f5"\n')
    app = SensorloomApp(open_workspace(str(workspace.root)))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.screen_stack[0]
        assert isinstance(screen, MainScreen)
        await until(pilot, lambda: screen.ready and screen.parts.thread.work)
        await pilot.press("2", "slash", *"question", "enter")
        await until(pilot, lambda: screen.query_one("#hits").display)
        await pilot.press("n")
        assert isinstance(app.screen, MainScreen)
        await pilot.press("f5")
        await until(pilot, lambda: not isinstance(app.screen, MainScreen))
