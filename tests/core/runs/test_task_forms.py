"""The form of a task: what is shown when a thread is made, kept with it, and shown again by replay and export."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from core import curate
from core.errors import UsageError, WorkspaceError
from core.export.profiles import PROFILES
from core.export.profiles.profile import Making
from core.filters.language import parse
from core.listing.summary import summarize
from core.model.client import Model
from core.model.endpoints import ModelChoice
from core.runs.job import Job
from core.runs.mode import wanted_form, with_form
from core.runs.replay import replay
from core.runs.toolbox import offered_to, open_toolbox
from core.thread.form import COMPACT, FULL, form_of
from core.thread.value import Thread, text_of
from core.workspace import Workspace, open_workspace
from tests.core.runs.recording import Recording, plain
from tests.core.runs.told import told_by
from tests.tools.made import made_dataset, write_dataset

BUDGET = 900
"""Tokens of a compact thread, as `tokens` counts them."""


def tokens(text: str) -> float:
    """The counting rule: each digit is a token, as tokenizers of small models have it, and four other characters are
    one. Of SmolLM2's own tokenizer, compact threads of the demo dataset have 720 to 820 in the middle."""
    digits = sum(letter.isdigit() for letter in text)
    return digits + (len(text) - digits) / 4


def tokens_of(thread: Thread) -> float:
    calls = [call["function"] for message in thread.messages for call in message.get("tool_calls") or ()]
    texts = [text_of(message) for message in thread.messages]
    return sum(tokens(text) for text in (*texts, json.dumps(calls), json.dumps(thread.tools)))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("forms")
    write_dataset(root / "data" / "made", made_dataset(4, 3))
    return open_workspace(str(root), environ={})


@pytest.fixture(scope="module")
def threads(workspace: Workspace) -> list[Thread]:
    """Two compact threads of each way of evidence."""
    jobs = [
        Job("made", session, "What is it?", number, evidence=evidence)
        for number, session in enumerate(("s0_0000", "s2_0033"))
        for evidence in ("reference", "measure")
    ]
    jobs = with_form(jobs, COMPACT)
    ran = asyncio.run(told_by(workspace, jobs, Model(ModelChoice()), parallel=2))
    done = [result.thread for result in ran if result.thread is not None and result.finished]
    assert len(done) == len(jobs), [result.error for result in ran]
    return done


def test_a_compact_thread_keeps_its_budget_and_is_right(threads: list[Thread]) -> None:
    for thread in threads:
        assert tokens_of(thread) <= BUDGET, thread.id
        assert thread.tools is not None and len(thread.tools) == 3
        assert tokens(json.dumps(thread.tools)) <= 170
        assert thread.metadata["is_correct"] is True


def test_it_is_replayed_as_it_was_made(workspace: Workspace, threads: list[Thread]) -> None:
    assert {call.status for thread in threads for call in replay(workspace, thread)} == {"same"}


def test_later_turns_go_by_the_recorded_form(workspace: Workspace, threads: list[Thread]) -> None:
    """The settings of this workspace say `full`."""
    for thread in threads:
        assert thread.metadata["form"]["name"] == "compact" and len(thread.metadata["form"]["sha256"]) == 16
        assert form_of(thread) == COMPACT
        assert [tool.schema for tool in offered_to(thread, open_toolbox(workspace))] == thread.tools


def test_serving_and_training_are_one_task(workspace: Workspace) -> None:
    """What is asked for a thread's last turn is what its export teaches: the same messages, tools and system prompt."""
    model = Recording(ModelChoice())
    (job,) = with_form([Job("made", "s1_0012", "What is it?", 3, evidence="reference")], COMPACT)
    (ran,) = asyncio.run(told_by(workspace, [job], model, parallel=1))
    assert ran.thread is not None and ran.finished
    profile = PROFILES["openai"]
    assert profile.rows is not None
    (row,) = profile.rows(ran.thread, Making())
    asked, tools = model.asked[-1]
    assert [tool["function"] for tool in row["tools"]] == [tool["function"] for tool in tools]
    assert [plain(message) for message in row["messages"][:-1]] == [plain(message) for message in asked]


def test_the_filter_and_the_list_tell_the_form(workspace: Workspace, threads: list[Thread]) -> None:
    summary = summarize(workspace.threads, threads[0].id)
    assert parse("form:compact").on_summary(summary) and not parse("form:full").on_summary(summary)
    stored = curate.create_thread(workspace, "made", "s0_0001", "what?")
    assert form_of(stored.thread) == FULL
    assert parse("form:full").on_summary(summarize(workspace.threads, stored.stem))


def test_a_form_of_ones_own(tmp_path: Path) -> None:
    write_dataset(tmp_path / "data" / "made", made_dataset(2, 1))
    settings = tmp_path / "sensorloom.toml"
    settings.write_text(
        '[task]\nform = "two"\n[task.forms.two]\ntools = ["nearest_examples", "compute_spectrum"]\nschemas = "short"\n'
    )
    workspace = open_workspace(str(tmp_path), environ={})
    stored = curate.create_thread(workspace, "made", "s0_0000", "what?", evidence="reference")
    assert stored.thread.metadata["form"]["name"] == "two"
    settings.write_text("")
    offered = offered_to(stored.thread, open_toolbox(open_workspace(str(tmp_path), environ={})))
    assert [tool.name for tool in offered] == ["nearest_examples", "compute_spectrum"]
    with pytest.raises(UsageError, match="did you mean `compact`"):
        wanted_form(workspace, "compct")
    settings.write_text('[task.forms.two]\ntools = ["nearest_example"]\n')
    with pytest.raises(UsageError, match="did you mean `nearest_examples`"):
        wanted_form(open_workspace(str(tmp_path), environ={}), "two")
    settings.write_text('[task.forms.two]\nschema = "short"\n')
    with pytest.raises(WorkspaceError, match=r"line 2: unknown key `schema`; did you mean `schemas`"):
        open_workspace(str(tmp_path), environ={})
