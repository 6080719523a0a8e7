"""Threads that are like one of them: in the way through the tools, in wording, and in the sensors of their sessions.

Wording is compared by the sketches that the checks keep of each thread, or that are made here where they were not yet;
sensors by the features that a dataset's table has of each session. So after the first time ten thousand threads take a
fraction of a second. Nothing here looks at a label or at whether an answer is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from core.errors import SensorloomError, UsageError
from core.lint.sketches import sketches_of
from core.thread.signature import SKETCH
from core.thread.summary import Summary
from core.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Shares = NDArray[np.float64]

NEAR = 0.6
"""Likeness from which a thread counts as similar: of the built-in analyst's threads about one dataset, any two of which
have about 0.45, one in eight."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much one thread is like another, each from 0 to 1."""

    score: float
    """The mean of what is known of the three."""
    path: float
    """How much of the tools' order is the same: twice what they share in order, of both together."""
    wording: float
    """The share of word triples that both have, estimated. It counts twice, up to 1: half of them is very much."""
    sensors: float | None
    """The share of the dataset's sessions that are further away than this one's; 0 for another dataset's session, None
    where nothing is known of the other thread's."""

    @property
    def reason(self) -> str:
        """Why, in a few words."""
        if self.score == 1:
            return "the same"
        path = "the same tools" if self.path == 1 else f"{self.path:.0%} of the tools"
        near = "" if self.sensors is None else f", sensors nearer than {self.sensors:.0%} of sessions"
        return f"{path}, {self.wording:.0%} of the wording{near if self.sensors != 0 else ', other sensors'}"


NOT_THERE = Likeness(0.0, 0.0, 0.0, None)
"""What a thread that is gone is to itself."""


def similar_to(
    workspace: Workspace,
    every: Sequence[Summary],
    stem: str,
    progress: Callable[[int, int], object] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Likeness] | None:
    """How much each thread of a folder is like the thread `stem`, itself among them; None when it was cancelled.

    Blocks, the first time for as long as reading all threads and the features of the dataset take; belongs in a worker.

    Raises:
        UsageError: there is no such thread, or it cannot be read.
    """
    import numpy as np

    threads = [summary for summary in every if not summary.problem]
    wanted = next((summary for summary in threads if summary.stem == stem), None)
    if wanted is None:
        raise UsageError(f"there is no thread {stem!r} to be similar to")
    sketches = sketches_of(workspace, threads, progress, cancelled)
    if sketches is None or cancelled():
        return None
    path = _paths(wanted.tools_used, [summary.tools_used for summary in threads])
    wording = _wording(sketches.get(stem, b""), [sketches.get(summary.stem, b"") for summary in threads])
    sensors = _sensors(workspace, wanted, threads)
    counted = np.minimum(2 * wording, 1)
    parts = [path, counted] if sensors is None else [path, counted, sensors]
    scores = np.mean(parts, axis=0)
    nearness: Iterable[float | None] = [None] * len(threads) if sensors is None else sensors.tolist()
    columns = zip(threads, scores.tolist(), path.tolist(), wording.tolist(), nearness, strict=True)
    return {each.stem: Likeness(score, tools, words, signals) for each, score, tools, words, signals in columns}


def _paths(wanted: tuple[str, ...], paths: Sequence[tuple[str, ...]]) -> Shares:
    """For each path, twice the length of what it has in common with the wanted one, in order, of both together."""
    import numpy as np

    matcher = SequenceMatcher[str](autojunk=False)
    matcher.set_seq2(wanted)
    known: dict[tuple[str, ...], float] = {}
    for path in set(paths):
        matcher.set_seq1(path)
        known[path] = matcher.ratio()
    return np.array([known[path] for path in paths])


def _wording(wanted: bytes, sketches: Sequence[bytes]) -> Shares:
    """For each sketch, the share of word triples that both have: of the hashes up to the largest that both sketches are
    complete to (Cohen and Kaplan 2007), the part that is in both."""
    import numpy as np

    own = np.frombuffer(wanted, np.uint32)
    lengths = np.array([len(sketch) // 4 for sketch in sketches])
    flat = np.frombuffer(b"".join(sketches), np.uint32)
    row = np.repeat(np.arange(len(sketches)), lengths)
    ends = np.cumsum(lengths) - 1
    everything = np.uint32(2**32 - 1)
    complete = np.where(lengths == SKETCH, flat[np.maximum(ends, 0)] if flat.size else everything, everything)
    limit = np.minimum(complete, own[-1] if len(own) == SKETCH else everything)
    inside = flat <= limit[row]
    theirs = np.bincount(row[inside], minlength=len(sketches))
    both = np.bincount(row[inside & np.isin(flat, own)], minlength=len(sketches))
    either = theirs + np.searchsorted(own, limit, side="right") - both
    return both / np.maximum(either, 1)


def _sensors(workspace: Workspace, wanted: Summary, threads: Sequence[Summary]) -> Shares | None:
    """For each thread, the share of the dataset's other sessions whose features are further away than its session's
    from the wanted one's; None where those are not known."""
    import numpy as np

    from core.datasets.standard import open_dataset
    from tools.discriminant import without_gaps
    from tools.features import DURATION, for_comparison

    try:
        table = open_dataset(workspace, wanted.dataset).features()
    except SensorloomError:
        return None
    row_of = {session: row for row, session in enumerate(table.sessions)}
    if wanted.session not in row_of or len(row_of) < 2:
        return None
    values = for_comparison(table.names, table.values)
    usable = np.isfinite(values).any(axis=0) & (np.array(table.names) != DURATION)
    values = without_gaps(values[:, usable])
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    distances = np.sqrt(((scaled - scaled[row_of[wanted.session]]) ** 2).mean(axis=1))
    others = np.sort(distances)
    further = 1 - np.searchsorted(others, distances, side="left") / (len(others) - 1)
    rows = [row_of.get(thread.session, -1) if thread.dataset == wanted.dataset else -1 for thread in threads]
    return np.where(np.array(rows) >= 0, np.maximum(further, 0.0)[rows], 0.0)
