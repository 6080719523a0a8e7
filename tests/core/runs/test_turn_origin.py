"""What a turn keeps of how it was made: who, how sampled, in which time, and the tokens as the server counted them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from core import curate
from core.cli.commands import run_command
from core.filters.language import parse, select
from core.listing.index import summaries
from core.runs.events import TurnProposed
from core.thread.proposal import origin_of
from core.thread.value import is_assistant
from core.workspace import Workspace, open_workspace
from tests.core.runs.test_turn_loop import FINAL, begun, proposed, ran, the, valid
from tests.fake_server import Answer, calls, fake_server, usage
from tests.tools.made import made_dataset, write_dataset


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


async def test_what_a_server_calls_its_configuration_is_kept(workspace: Workspace) -> None:
    stored = begun(workspace)
    chunks = [{**chunk, "system_fingerprint": "fp_1"} for chunk in FINAL.chunks if isinstance(chunk, Mapping)]
    with fake_server(Answer(chunks)) as server:
        await ran(server, workspace, stored)
    assert valid(workspace).metadata["made_by"]["fingerprint"] == "fp_1"


def test_the_built_in_analyst_names_its_manner_and_threads_are_found_by_it(workspace: Workspace) -> None:
    write_dataset(workspace.data / "made", made_dataset(3, 1))
    asked = ["run", "--workspace", str(workspace.root), "--dataset", "made", "--count", "3", "--seed", "2"]
    for evidence in ("reference", "measure"):
        assert run_command([*asked, "--evidence", evidence]) == 0
    listing = summaries(workspace)
    measured = select(workspace.threads, listing, parse("fingerprint:eliminates", workspace))
    assert [summary.evidence for summary in measured] == ["measure"] * 3
    ways = select(workspace.threads, listing, parse('fingerprint:"looks first" OR fingerprint:"compares first"'))
    assert [summary.evidence for summary in ways] == ["reference"] * 3
