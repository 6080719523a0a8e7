"""Filter terms about how a thread stands in its workspace: whether it has left, whether its session is held out, and
what the checks find in it.

They need more than a summary: the export log, the names of what is held out, and the dataset's labels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from core.export.held_out import held_out_in
from core.export.log import export_state, read_log
from core.filter_terms import ANY, NONE, OnSummary
from core.lint import CHECKS, Context, check_thread
from core.lint.label_set import dataset_labels
from core.summary import Summary
from core.thread import Thread
from core.workspace import Workspace

OnNamed = Callable[[Thread, str], bool]
"""A test of a thread and its file's stem."""


def checks() -> tuple[str, ...]:
    """The words of `lint`: the names of the checks of a thread on its own."""
    return tuple(check.name for check in CHECKS)


def left(workspace: Workspace, words: Sequence[str]) -> OnSummary:
    """Whether a thread's export state is one of `words`. The log is read once, when the first thread is asked about;
    a thread's file only when it was written since it left."""
    log = cache(lambda: read_log(workspace))

    def test(summary: Summary) -> bool:
        if summary.problem:
            return NONE in words
        state = export_state(workspace.threads, summary, log())
        return state in words or ANY in words

    return test


def held_out(workspace: Workspace, words: Sequence[str]) -> OnSummary:
    """Whether a thread's session is held out. The names are read once, when the first thread is asked about."""
    names = cache(lambda: held_out_in(workspace))

    def test(summary: Summary) -> bool:
        if not summary.session:
            return NONE in words
        return ("true" if names()(summary) else "false") in words or ANY in words

    return test


def found(workspace: Workspace, words: Sequence[str]) -> OnNamed:
    """Whether one of the checks in `words` finds something in a thread; `any` is all of them, `none` is none."""
    labels = cache(lambda dataset: dataset_labels(workspace, dataset))

    def test(thread: Thread, stem: str) -> bool:
        names = {one.check for one in check_thread(thread, Context(stem, labels(thread.dataset)))}
        return any(bool(names) if word == ANY else not names if word == NONE else word in names for word in words)

    return test
