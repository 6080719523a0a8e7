from __future__ import annotations

import pytest

from core.errors import UsageError
from core.listing.session_tree import connectors, session_tree, unfolded, where
from core.thread.summary import Summary


def thread(stem: str, parent: str = "", at: int | None = None, session: str = "s1") -> Summary:
    return Summary(
        stem, shape="v4", id=stem, dataset="d", session=session, parent=parent, branched_at=at, created=stem
    )  # fmt: skip


EVERY = [
    thread("a"), thread("b", "a", 3), thread("c", "b", 5), thread("d", "a", 7), thread("e"),
    thread("other", session="s2"),
]  # fmt: skip


def test_the_threads_of_a_session_stand_under_what_they_branch_off():
    nodes = session_tree(EVERY, "c")
    assert [f"{connectors(node)}{node.summary.stem}" for node in nodes] == ["a", "├─ b", "│  └─ c", "└─ d", "e"]
    assert [node.below for node in nodes] == [3, 1, 0, 0, 0]
    assert where(nodes[1].summary) == "from message 4" and where(nodes[0].summary) == ""
    with pytest.raises(UsageError, match="no thread 'zz'"):
        session_tree(EVERY, "zz")


def test_what_is_folded_hides_all_below_it():
    nodes = session_tree(EVERY, "a")
    assert [node.summary.stem for node in unfolded(nodes, {"b"})] == ["a", "b", "d", "e"]
    assert [node.summary.stem for node in unfolded(nodes, {"a", "b"})] == ["a", "e"]


def test_files_that_name_each_other_as_parents_are_listed_all_the_same():
    assert len(session_tree([thread("a", "b", 1), thread("b", "a", 1)], "a")) == 2
