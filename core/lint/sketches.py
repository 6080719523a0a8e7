"""The sketches of all threads' wordings, without their checks: a tenth of the time where a folder was never looked at.

What the checks kept is used; what else is found out stays in memory until they come to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from core.errors import SensorloomError
from core.lint.duplicates import spoken_signature
from core.lint.findings_cache import FindingsCache, with_findings_cache
from core.lint.label_set import dataset_labels
from core.lint.survey import MANY, PART, Cancelled, Progress
from core.storage import store
from core.thread.summary import Summary
from core.workspace import Workspace

_known: dict[Path, dict[str, tuple[tuple[int, int], bytes]]] = {}
"""By threads folder and stem: size and time of change of the file, and its sketch."""


def sketches_of(
    workspace: Workspace,
    every: Sequence[Summary],
    progress: Progress = lambda _done, _total: None,
    cancelled: Cancelled = lambda: False,
) -> Mapping[str, bytes] | None:
    """The sketch (`core.thread.signature.Signature`) of each thread that says something, by stem; None when it was
    cancelled. Blocks; belongs in a worker, and does its own work in processes where there is much of it."""
    threads = [summary for summary in every if not summary.problem]
    labels = {dataset: dataset_labels(workspace, dataset) for dataset in {summary.dataset for summary in threads}}

    def checked(cache: FindingsCache) -> tuple[dict[str, bytes], list[Summary]]:
        return cache.sketches(), cache.outdated(threads, labels)

    sketches, unknown = with_findings_cache(workspace, checked)
    known = _known.setdefault(workspace.threads, {})
    left: list[Summary] = []
    for summary in unknown:
        stamp, sketch = known.get(summary.stem, ((0, 0), b""))
        if stamp == (summary.size, summary.mtime_ns):
            sketches[summary.stem] = sketch
        else:
            left.append(summary)
    from core.processes.pool import in_parts

    done, stems, processes = 0, [summary.stem for summary in left], None if len(left) >= MANY else 1
    with closing(in_parts(sketch_maker, (workspace.threads,), stems, PART, processes)) as parts:
        for _, part in parts:
            for summary, sketch in zip(left[done : done + PART], part, strict=True):
                sketches[summary.stem] = sketch
                known[summary.stem] = (summary.size, summary.mtime_ns), sketch
            done += len(part)
            progress(done, len(left))
            if cancelled():
                return None
    return sketches


def sketch_maker(folder: Path) -> Callable[[Sequence[str]], list[bytes]]:
    """The job of a process: stems in, sketches out; an empty one where nothing is said, or there is no thread."""

    def sketch(stem: str) -> bytes:
        try:
            signature = spoken_signature(store.read(folder, stem).thread)
        except SensorloomError:
            return b""
        return signature.sketch if signature is not None else b""

    return lambda stems: [sketch(stem) for stem in stems]
