"""A hint in the middle of somebody's thread: recorded, looked for, and never a reason to throw the thread away."""

from __future__ import annotations

import pytest

from core import curate
from core.errors import UsageError
from core.storage.store import Stored
from core.teaching.whisper import look_through, whispered
from core.thread.hint import hint_of
from core.workspace import Workspace
from tests.core.curate.world import add_turn


def test_a_hint_on_the_way_that_shows_leaves_the_thread_where_it_is(workspace: Workspace, finished: Stored):
    hint = "it seems to rise all the way up"
    with pytest.raises(UsageError, match="is finished"):
        whispered(workspace, finished)
    shorter = curate.delete_turn(workspace, finished, 7)
    marked = whispered(workspace, shorter)
    assert look_through(workspace, marked, [hint]) == (marked, "")  # it goes on
    text = f"{hint}, so it does.\n\nConfidence: high\nFinal Answer: walking"
    over = add_turn(workspace, marked, text)
    same, shows = look_through(workspace, over, [hint])
    assert same is over and "repeats the hint" in shows and hint_of(same.thread) == "unchecked"
    checked, shows = look_through(workspace, same, [])
    assert not shows and hint_of(checked.thread) == "stripped"
