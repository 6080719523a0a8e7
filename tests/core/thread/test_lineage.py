from __future__ import annotations

from dataclasses import dataclass

from core import curate
from core.storage import store, thread_files
from core.storage.store import Stored
from core.thread.lineage import lineage
from core.thread.summary import summary_of
from core.workspace import Workspace


@dataclass(frozen=True)
class One:
    stem: str
    parent: str = ""
    branched_at: int | None = None
    created: str = ""


FAMILY = [
    One("root", created="1"),
    One("late", "root", 5, "4"),
    One("early", "root", 5, "2"),
    One("other", "root", 3, "3"),
    One("grandchild", "early", 8, "5"),
    One("same-fork", "early", 5, "6"),
    One("alone", created="7"),
]


def test_the_ways_of_a_fork_keep_their_order():
    found = lineage(reversed(FAMILY))
    fork = ("root", "early", "late", "same-fork")
    assert [found.siblings(stem) for stem in ("early", "late", "same-fork")] == [fork] * 3
    assert found.siblings("root", 5) == fork and found.siblings("root", 3) == ("root", "other")
    assert found.siblings("root") == ("root", "other"), "the first fork unless told"
    assert found.siblings("grandchild") == ("early", "grandchild")
    assert found.siblings("alone") == ("alone",) and found.siblings("unknown") == ("unknown",)


def test_parents_children_and_families():
    found = lineage(FAMILY)
    assert found.parent("grandchild") == "early" and found.parent("root") is None
    assert found.children("root") == ("early", "other", "late")
    assert {found.family(one.stem) for one in FAMILY} == {"root", "alone"}


def test_a_thread_knows_every_fork_on_its_way():
    found = lineage(FAMILY)
    assert [(fork.position, fork.members) for fork in found.forks("grandchild")] == [
        (3, ("root", "other")),
        (5, ("root", "early", "late", "same-fork")),
        (8, ("early", "grandchild")),
    ]


def test_branches_of_a_thread_that_is_gone_are_still_siblings():
    found = lineage(one for one in FAMILY if one.stem != "root")
    assert found.siblings("late") == ("early", "late", "same-fork")
    assert found.parent("late") is None and found.family("late") == "root"


def test_files_that_name_each_other_or_themselves_do_no_harm():
    ring = [One("a", "b", 1), One("b", "a", 1), One("c", "c", 1)]
    found = lineage(ring)
    for one in ring:
        assert one.stem in found.siblings(one.stem)
        assert found.forks(one.stem) is not None and found.family(one.stem)


def test_real_branches_are_found_in_summaries(workspace: Workspace, finished: Stored):
    one = curate.branch(workspace, finished, 3)
    two = curate.branch(workspace, finished, 3)
    asked = curate.branch(workspace, two, 0, query="and?")
    threads = [store.read(workspace.threads, stem) for stem in thread_files.stems(workspace.threads)]
    found = lineage(summary_of(each.thread, each.stem) for each in threads)
    assert found.siblings(one.stem) == (finished.stem, one.stem, two.stem)
    assert found.siblings(asked.stem) == (finished.stem, asked.stem)
