"""Evaluations on the screen: begun, watched, gone on with, opened, and their answers read and compared."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import UsageError
from core.evaluation.contest import Evaluation, begin, evaluations, open_evaluation, outcomes_of
from core.evaluation.figures import Figures, figures, parted
from core.evaluation.running import EvaluationRun, Progress
from core.evaluation.scores import Share
from core.model.options import FLAGS, read_option
from core.workspace import Workspace
from tests.fake_server import fake_server, says
from tests.tui.evaluated import GOOD, POOR, SESSIONS, evaluated_workspace
from tests.tui.motion import motion_workspace, on_screen, until
from tui.app import SensorloomApp
from tui.screens.evaluation import EvaluationScreen
from tui.screens.evaluation_options import SERVING, options_for, wanted_of
from tui.screens.evaluation_sides import SidesScreen
from tui.screens.evaluations import EvaluationsScreen
from tui.screens.main import MainScreen
from tui.screens.new_evaluation import NewEvaluationScreen
from tui.widgets.cell_board import CellRow
from tui.widgets.evaluation_lines import evaluation_rows, interval_drawn
from tui.widgets.lines import cells, plain_text


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    workspace, evaluation = evaluated_workspace(tmp_path_factory.mktemp("evaluated"))
    return figures(workspace, evaluation)


@pytest.mark.parametrize("width", [40, 77, 157])
def test_every_row_fits(counted: Figures, width: int) -> None:
    named = [replace(each, contestant=replace(each.contestant, key=each.contestant.key * 12)) for each in
             counted.standings]  # fmt: skip
    for some in (counted, replace(counted, standings=named)):
        rows = evaluation_rows(some, width)
        assert all(cells(row.line) <= width for row in rows) and len(rows) > 20
    text = "\n".join(plain_text(row.line) for row in evaluation_rows(counted, width))
    assert "87.5 %" in text and "37.5 %" in text


def test_a_cell_stands_for_its_threads(counted: Figures) -> None:
    rows = [row for row in evaluation_rows(counted, 120) if isinstance(row, CellRow)]
    confused = [row for row in rows if row.about == "poor: rows are labels, columns answers"]
    terms = [[cell.terms for cell in row.cells] for row in confused]
    assert terms[0] == [("truth:sitting", "answer:sitting"), ("truth:sitting", "answer:walking"),
                        ("truth:sitting", "-status:finished")]  # fmt: skip
    texts = [[text.strip() for text, _ in row.line[row.first :]] for row in confused]
    assert texts == [["1", "2", "1"], ["2", "2", "·"]]
    assert {cell.of for row in confused for cell in row.cells} == {"poor"}


def test_where_two_differ_those_that_one_alone_had_right_come_first(counted: Figures) -> None:
    good, poor = counted.standings
    pairs = parted(good.outcomes, poor.outcomes)
    assert [pair.first.session for pair in pairs] == ["s01_0", "s02_1", "s03_0", "s03_1", SESSIONS[-1]]
    both_wrong = [
        [replace(each, answer=answer, right=False) if each.session == "s01_0" else each for each in who.outcomes]
        for who, answer in ((good, "lying"), (poor, "running"))
    ]
    later = [pair.first.session for pair in parted(*both_wrong)]
    assert later == ["s02_1", "s03_0", "s03_1", "s01_0", SESSIONS[-1]], "where both are wrong goes behind"
    unlike = [replace(each, answer="lying", right=False) for each in good.outcomes]
    assert not [pair for pair in parted(unlike, unlike) if pair]


def test_an_interval_is_drawn_to_scale() -> None:
    text = plain_text(interval_drawn(Share(3, 4), 41))
    assert (text.index("├"), text.index("●"), text.index("┤")) == (12, 30, 38)
    assert plain_text(interval_drawn(Share(4, 4), 11)).endswith("●")


async def opened(pilot: Any, root: Workspace) -> MainScreen:
    await until(pilot, lambda: getattr(pilot.app.screen, "ready", False))
    main = pilot.app.screen
    assert isinstance(main, MainScreen)
    await until(pilot, lambda: main.parts.folder.scanned)
    await pilot.press("M")
    await until(pilot, lambda: isinstance(pilot.app.screen, EvaluationsScreen))
    return main


async def test_figures_open_as_answers_side_by_side_and_as_threads_that_are_read(tmp_path: Path) -> None:
    workspace, evaluation = evaluated_workspace(tmp_path)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        main = await opened(pilot, workspace)
        await until(pilot, lambda: "87.5 % (52.9–97.8)" in on_screen(app) and "15 of 16 tries" in on_screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, EvaluationScreen) and "good − poor" in on_screen(app))
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: isinstance(app.screen, SidesScreen) and "1 of 5 · s01_0" in on_screen(app))
        assert "in truth walking" in on_screen(app) and "good: ✓ walking" in on_screen(app)
        await pilot.press("J")
        await until(pilot, lambda: "2 of 5 · s02_1" in on_screen(app) and "poor: ✗ walking" in on_screen(app))
        await pilot.press("K", "K")
        await until(pilot, lambda: "1 of 5 · s01_0" in on_screen(app))
        await pilot.press("escape", "tab", "tab", "tab", "right")
        await until(pilot, lambda: "2 tries: sitting answered as walking" in on_screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: "first · poor · to be read" in on_screen(app) and "2 of 8" in on_screen(app))
        over = app.screen
        assert isinstance(over, MainScreen) and over is not main
        await until(pilot, lambda: over.parts.thread.work is not None)
        folder = evaluation.apart(workspace, POOR).threads
        before = {path: path.read_bytes() for path in folder.glob("*.json")}
        await pilot.press("a", "2", "R", "e", "T", "delete", "x")
        await until(pilot, lambda: "read, and nothing in" in on_screen(app))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, EvaluationScreen))
        assert {path: path.read_bytes() for path in folder.glob("*.json")} == before
        await pilot.press("q", "q")
        await until(pilot, lambda: app.screen is main)


async def test_an_evaluation_is_begun_in_its_dialog(tmp_path: Path, trust: Callable[[Path], None]) -> None:
    with fake_server(says("Confidence: high\nFinal Answer: walking", 40)) as server:
        server.models = replace(server.models, body=b'{"data": [{"id": "small"}, {"id": "large"}]}')
        (tmp_path / "sensorloom.toml").write_text(f'[[endpoints]]\nname = "mine"\nbase_url = "{server.url}"\n')
        trust(tmp_path)
        workspace = motion_workspace(tmp_path)
        app = SensorloomApp(workspace)
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            await opened(pilot, workspace)
            await until(pilot, lambda: "no evaluation yet" in on_screen(app))
            await pilot.press("n")
            await until(
                pilot,
                lambda: isinstance(app.screen, NewEvaluationScreen) and "▸ datasets         motion" in on_screen(app),
            )
            dialog = app.screen
            assert isinstance(dialog, NewEvaluationScreen)
            await until(pilot, lambda: "mine=large" in dialog.models)
            await pilot.press("j", "e")
            await typed(pilot, "four")
            await pilot.press("enter")
            await until(pilot, lambda: "sessions: `four` is no number" in on_screen(app))
            await pilot.press("e")
            await typed(pilot, "4")
            await pilot.press("j", "j", "j", "space")
            await until(pilot, lambda: all(row in on_screen(app) for row in ("■ mine", "□ builtin", "□ mine=large")))
            ticks = app.screen.query_one("#choices")
            for name in ("mine", "mine=small", "mine=large"):  # the first is ticked, as runs use it
                ticks.move_to(ticks.names.index(name))  # pyright: ignore[reportAttributeAccessIssue]
                await pilot.press("space")
            await pilot.press("enter")
            await until(pilot, lambda: "mine=small, mine=large" in on_screen(app))
            await pilot.press("enter")
            await until(pilot, lambda: evaluations(workspace) == ["motion-1"])
            begun = open_evaluation(workspace, "motion-1")
            await until(pilot, lambda: all_finished(workspace, begun))
            await until(pilot, lambda: (tmp_path / "evaluations/motion-1/table.svg").exists())
            await until(pilot, lambda: "50.0 % (15.0–85.0)" in on_screen(app) and "░" not in on_screen(app))
    assert [(each.key, each.model) for each in begun.contestants] == [("mine-small", "small"), ("mine-large", "large")]
    assert len(begun.sessions) == 4 and {body["model"] for body in server.requests} == {"small", "large"}


async def test_what_all_are_shown_and_how_they_are_asked_is_chosen_in_the_dialog(tmp_path: Path) -> None:
    workspace = motion_workspace(tmp_path)
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/terse.txt").write_text("Be brief.")
    shutil.copytree(tmp_path / "data/motion", tmp_path / "data/other")
    typed_in = {
        "filter": "label:walking", "tools": "detect_periodicity", "temperature": "0.5", "stop": "END", "price_out": "2",
        "extra_body": '{"chat_template_kwargs": {"enable_thinking": false}}', "concurrency": "1", "count": "1",
    }  # fmt: skip
    with fake_server(says("Confidence: high\nFinal Answer: walking", 40)) as server:
        app = SensorloomApp(workspace)
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await opened(pilot, workspace)
            dialog = NewEvaluationScreen(workspace)
            told: list[Evaluation | None] = []
            app.push_screen(dialog, told.append)
            await until(pilot, lambda: "▸ datasets         motion ▸" in on_screen(app))
            rows = dialog.rows
            names = [option.name for option in rows.options]
            await pilot.press("space")
            await until(pilot, lambda: "□ other" in on_screen(app))
            await pilot.press("j", "space", "enter")
            await until(pilot, lambda: "▸ datasets         motion, other ▸" in on_screen(app))
            for name, text in typed_in.items():
                rows.move_to(names.index(name))
                await pilot.press("space")
                await until(pilot, lambda: app.screen is not dialog)
                if type(app.screen).__name__ == "ListedScreen":
                    await pilot.press("G", "enter")
                    await until(pilot, lambda: type(app.screen).__name__ == "AskTextScreen")
                await pilot.press("ctrl+u")
                app.screen.query_one("AnswerField").text = text  # pyright: ignore[reportAttributeAccessIssue]
                await pilot.press("enter")
                await until(pilot, lambda: app.screen is dialog)
            for name, steps in (("form", 2), ("system", 3), ("parallel_tool_calls", 2), ("system_role", 3)):
                rows.move_to(names.index(name))
                await pilot.press(*["right"] * steps)
            assert "user" in on_screen(app)
            dialog._choose("endpoints", f"{server.url}=m")  # pyright: ignore[reportPrivateUsage]
            await pilot.press("enter")
            await until(pilot, lambda: bool(told))
        (evaluation,) = told
        assert evaluation is not None
        run_evaluation(workspace, evaluation)
    (first, _) = server.requests
    assert {tool["function"]["name"] for tool in first["tools"]} == {"detect_periodicity"}
    assert first["messages"][0] == {"role": "user", "content": first["messages"][0]["content"]}
    assert first["messages"][0]["content"].startswith("Be brief."), "instructions as the user's"
    asked = {"temperature": 0.5, "stop": ["END"], "parallel_tool_calls": False}
    assert first.items() >= (asked | {"chat_template_kwargs": {"enable_thinking": False}}).items()
    assert evaluation.form.name == "compact" and evaluation.options["concurrency"] == 1
    outcomes = outcomes_of(workspace, evaluation, evaluation.contestants[0])
    assert {outcome.dataset for outcome in outcomes} == {"motion", "other"}
    assert all(outcome.cost for outcome in outcomes), "at these prices"


def test_every_option_of_the_command_is_among_those_of_the_dialog(tmp_path: Path) -> None:
    workspace = motion_workspace(tmp_path)
    texts = {
        "temperature": "0.5", "max_tokens": "77", "top_p": "0.9", "top_k": "5", "min_p": "0.1", "stop": "END",
        "tool_choice": "required", "parallel_tool_calls": "no", "response_format": '{"type": "text"}',
        "extra_body": '{"a": 1}', "system_role": "user", "connect_timeout_sec": "5", "first_token_timeout_sec": "50",
        "timeout_sec": "40", "price_in": "1", "price_out": "2", "concurrency": "3",
    }  # fmt: skip
    assert {*texts} == {*SERVING} == {*FLAGS, "concurrency"} - {"headers"}
    assert {*texts} < {option.name for option in options_for(workspace, ("motion",), (), ())}
    chosen = {"datasets": "motion", "max_turns": "3", "few_shot": "2", "seed": "1", **texts}
    wanted = wanted_of(workspace, chosen)
    assert dict(wanted.options) == {name: read_option(name, text) for name, text in texts.items()}
    assert (wanted.max_turns, wanted.seed, wanted.form and wanted.form.few_shot) == (3, 1, 2)
    for name, text, told in (("top_p", "2", "top p: `2` is not a number"), ("tools", "fly", "did you mean|lists them")):
        with pytest.raises(UsageError, match=told):
            wanted_of(workspace, {**chosen, name: text})


def run_evaluation(workspace: Workspace, evaluation: Evaluation) -> None:
    over = threading.Event()
    run = EvaluationRun(workspace, evaluation, lambda progress: over.set() if progress.over else None)
    run.start()
    assert over.wait(60)
    run.close()


async def typed(pilot: Any, text: str) -> None:
    """Type a number into the question for one; it is the last of the choices."""
    await until(pilot, lambda: "type it …" in on_screen(pilot.app))
    await pilot.press("G", "enter")
    await until(pilot, lambda: type(pilot.app.screen).__name__ == "AskTextScreen")
    await pilot.press("ctrl+u", *text, "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, NewEvaluationScreen))


def all_finished(workspace: Workspace, evaluation: Evaluation) -> bool:
    every = [outcomes_of(workspace, evaluation, contestant) for contestant in evaluation.contestants]
    return all(outcome.finished for outcomes in every for outcome in outcomes)


async def test_one_under_way_shows_how_far_it_is_and_stops(tmp_path: Path) -> None:
    workspace, evaluation = evaluated_workspace(tmp_path)
    with fake_server(replace(says("hm"), then="hang")) as server:
        slow = replace(evaluation, name="slow", contestants=(replace(GOOD, endpoint=server.url, model="m"),))
        begin(workspace, slow)
        app = SensorloomApp(workspace)
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await opened(pilot, workspace)
            await until(pilot, lambda: "slow" in on_screen(app) and "0 of 8 tries" in on_screen(app))
            await pilot.press("g", "r")
            await until(pilot, lambda: "░ 0 of 8 good" in on_screen(app) and server.requests)
            await until(pilot, lambda: "under way" in on_screen(app))
            await pilot.press("s")
            await until(pilot, lambda: "░" not in on_screen(app))
            await pilot.press("s")
            await until(pilot, lambda: "slow is not under way" in on_screen(app))


async def test_what_is_told_while_its_screen_is_being_left_does_no_harm(tmp_path: Path) -> None:
    workspace, evaluation = evaluated_workspace(tmp_path)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        main = await opened(pilot, workspace)
        await until(pilot, lambda: "15 of 16 tries" in on_screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, EvaluationScreen) and "good − poor" in on_screen(app))
        told = tuple(main.parts.list_screens.under_way.listeners)
        assert len(told) == 2, "the list of them and the figures of one"
        await pilot.press("q", "q")
        await until(pilot, lambda: app.screen is main)
        for tell in told:
            tell(Progress(evaluation.name, POOR.key, done=1, of=16))
