"""What a turn keeps of how it was made: who, how sampled, in which time, and the tokens as the server counted them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import curate
from core.runs.events import TurnProposed
from core.thread.proposal import origin_of
from core.thread.value import is_assistant
from core.workspace import Workspace, open_workspace
from tests.core.runs.test_turn_loop import FINAL, begun, proposed, ran, the, valid
from tests.fake_server import Answer, calls, fake_server, usage


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(str(tmp_path), environ={})


async def test_each_turn_tells_what_made_it_where_that_is_not_as_the_thread_was_begun(workspace: Workspace) -> None:
    stored = begun(workspace)
    look_at_x = calls(("look", '{"channel": "x"}'))
    with fake_server(look_at_x, look_at_x, FINAL) as server:
        for temperature, seed in ((0.5, 7), (0.5, 7), (0.9, 8)):
            event = the(TurnProposed, await proposed(server, stored.thread, temperature=temperature, seed=seed))
            stored = curate.accept(workspace, stored, event.proposal)
    thread = valid(workspace)
    first, second, third = [message for message in thread.messages if is_assistant(message)]
    assert thread.metadata["made_by"] == {"model": "fake", "endpoint": "lab", "temperature": 0.5, "seed": 7}
    assert set(first["made_by"]) == set(second["made_by"]) == {"seconds"}
    assert (third["made_by"]["temperature"], third["made_by"]["seed"]) == (0.9, 8) and "model" not in third["made_by"]
    assert origin_of(thread, first)["temperature"] == 0.5 and origin_of(thread, third)["model"] == "fake"


async def test_the_tokens_that_the_server_counted_stay_with_their_turn(workspace: Workspace) -> None:
    stored = begun(workspace)
    with fake_server(Answer([*FINAL.chunks, usage(1812, 34)])) as server:
        await ran(server, workspace, stored)
    assert valid(workspace).messages[1]["usage"] == {"prompt_tokens": 1812, "completion_tokens": 34}
