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
    family = lineage(reversed(FAMILY))
    fork = ("root", "early", "late", "same-fork")
    assert [family.siblings(stem) for stem in ("early", "late", "same-fork")] == [fork] * 3
    assert family.siblings("root", 5) == fork and family.siblings("root", 3) == ("root", "other")
    assert family.siblings("root") == ("root", "other"), "the first fork unless told"
    assert family.siblings("grandchild") == ("early", "grandchild")
    assert family.siblings("alone") == ("alone",) and family.siblings("unknown") == ("unknown",)


def test_parents_children_and_families():
    family = lineage(FAMILY)
    assert family.parent("grandchild") == "early" and family.parent("root") is None
    assert family.children("root") == ("early", "other", "late")
    assert {family.family(thread.stem) for thread in FAMILY} == {"root", "alone"}


def test_a_thread_knows_every_fork_on_its_way():
    family = lineage(FAMILY)
    assert [(fork.position, fork.members) for fork in family.forks("grandchild")] == [
        (3, ("root", "other")),
        (5, ("root", "early", "late", "same-fork")),
        (8, ("early", "grandchild")),
    ]


def test_branches_of_a_thread_that_is_gone_are_still_siblings():
    family = lineage(thread for thread in FAMILY if thread.stem != "root")
    assert family.siblings("late") == ("early", "late", "same-fork")
    assert family.parent("late") is None and family.family("late") == "root"


def test_files_that_name_each_other_or_themselves_do_no_harm():
    ring = [One("a", "b", 1), One("b", "a", 1), One("c", "c", 1)]
    family = lineage(ring)
    for thread in ring:
        assert thread.stem in family.siblings(thread.stem)
        assert family.forks(thread.stem) is not None and family.family(thread.stem)


def test_real_branches_are_found_in_summaries(workspace: Workspace, finished: Stored):
    branch = curate.branch(workspace, finished, 3)
    two = curate.branch(workspace, finished, 3)
    asked = curate.branch(workspace, two, 0, question="and?")
    threads = [store.read(workspace.threads, stem) for stem in thread_files.stems(workspace.threads)]
    family = lineage(summary_of(each.thread, each.stem) for each in threads)
    assert family.siblings(branch.stem) == (finished.stem, branch.stem, two.stem)
    assert family.siblings(asked.stem) == (finished.stem, asked.stem)
