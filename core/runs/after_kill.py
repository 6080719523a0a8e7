"""What a kill leaves of a batch: threads that hold nothing but their question. They are begun anew when it goes on."""

from __future__ import annotations

from core.errors import SensorloomError, ThreadError
from core.runs.batch_live import claimed, killed_here
from core.runs.batches import FOLDER, Batch, open_batch
from core.runs.job import unless_empty
from core.storage import history
from core.storage.store import Stored, read_all
from core.storage.thread_files import exists
from core.text import counted
from core.thread.value import Thread
from core.workspace import Workspace


def only_questions(workspace: Workspace, batch: Batch) -> list[Stored]:
    """The threads that a batch began and to which nothing came, neither from a model nor from a person; one of which a
    step was taken back has that still to come."""
    stems = [stem for number, stem in batch.stems.items() if number not in batch.over]
    there = read_all(workspace.threads, [stem for stem in stems if exists(workspace.threads, stem)])
    questions = (stored for stored in there if not isinstance(stored, ThreadError) and _is_question(stored.thread))
    return [stored for stored in questions if not history.read(workspace, stored.stem).undone]


def tidy_after_kills(workspace: Workspace) -> str:
    """Take away such threads of batches whose process was killed on this machine, unless they were to stay.

    Returns:
        How many they were, in a sentence; empty where there was none.
    """
    gone = 0
    for name in killed_here(workspace):
        with claimed(workspace, name) as is_free:
            if not is_free:
                continue
            try:
                gone += _tidied(workspace, open_batch(workspace, name))
            except SensorloomError:
                continue  # whoever goes on with the batch is told
            (workspace.private / FOLDER / f"{name}.live").unlink(missing_ok=True)
    if not gone:
        return ""
    held = "held nothing but its question" if gone == 1 else "held nothing but their question"
    return f"{counted(gone, 'thread')} of a killed batch {held}: gone, and begun anew by `sensorloom run --resume`"


def _tidied(workspace: Workspace, batch: Batch) -> int:
    if batch.setup.keep_empty or batch.setup.threads != workspace.shown(workspace.threads):
        return 0
    return sum(unless_empty(workspace, stored) is None for stored in only_questions(workspace, batch))


def _is_question(thread: Thread) -> bool:
    untouched = not any(thread.metadata.get(name) for name in ("review", "tags", "judgements"))
    return thread.status == "active" and len(thread.messages) == 1 and not thread.alternatives and untouched
