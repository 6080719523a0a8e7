"""The example threads that come with the program are what they claim to be. `make examples` makes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.datasets.importing import import_dataset
from core.lint import check_thread
from core.runs.replay import replay
from core.runs.toolbox import open_toolbox
from core.storage.store import Stored, read_all
from core.thread.json_form import encode
from core.workspace import open_workspace

THREADS = Path(__file__).parents[1] / "threads"
STEMS = ["demo_s02_0027_v4_0008", "demo_s07_0039_v4_0005", "demo_s10_0019_v4_0011"]
EXAMPLES = [stored for stored in read_all(THREADS, STEMS) if isinstance(stored, Stored)]


def test_there_are_a_few_of_different_activities():
    assert len({stored.thread.truth for stored in EXAMPLES}) == len(STEMS)


@pytest.mark.parametrize("example", EXAMPLES, ids=[stored.stem for stored in EXAMPLES])
def test_an_example_is_in_the_stored_form_with_nothing_to_find(example: Stored):
    assert encode(example.thread) == example.data
    assert example.thread.metadata["model"] == "builtin-analyst"
    assert example.thread.metadata["tags"] == ["example"]  # by which the app knows that nothing was made here yet
    assert check_thread(example.thread) == []


def test_their_results_are_what_the_tools_compute_today(tmp_path: Path):
    workspace = open_workspace(str(tmp_path))
    import_dataset(workspace, "demo")
    for example in EXAMPLES:
        calls = replay(workspace, example.thread, open_toolbox(workspace))
        assert {call.status for call in calls} == {"same"}, example.stem
