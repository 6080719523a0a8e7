"""One recording from its beginning to its end: the source on a thread of its own, everything else in turn on this one.

A message goes from the source through a queue to the recorder; what has come is written twenty times a second, so that
who follows it sees it at once, and is on the disk once a second, so that no crash loses more.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from core.datasets.tables.form import TableForm
from core.errors import SensorloomError, system_reason
from core.recording.finishing import Finished, finish
from core.recording.live_folder import live_folder, next_recording, read_live
from core.recording.recorder import Recorder, new_state, replace_state
from core.recording.sources import Source
from core.recording.standing import check_name, known_activities, known_units

if TYPE_CHECKING:
    from core.workspace import Workspace

Waiting = TypeVar("Waiting")

WRITE_SEC, SAVE_SEC, SHOW_SEC = 0.05, 1.0, 0.25
_MANY_ROWS = 200_000
"""Of more rows than these a person should know what takes so long."""
_QUEUE = 10_000
"""So many messages may wait: then who sends waits too, or the network drops."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be recorded."""

    dataset: str
    form: TableForm = field(default_factory=TableForm)
    length_sec: float = 5.0
    overlap: float = 0.0
    subject: str = ""
    label: str = ""
    """What is done from the beginning."""
    labels: tuple[str, ...] = ()
    """What can be marked by a number."""
    seconds: float | None = None
    """End after so long."""
    idle_sec: float | None = None
    """End when nothing has come for so long."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a recording ended."""

    reason: str
    finished: Finished | None
    problem: str = ""
    """Why it is not in the dataset yet, and what to do; empty where it is."""


class Watch(Protocol):
    """Who is told, and asked, while it goes on; called on the recorder's own thread."""

    def tell(self, sentence: str) -> None:
        """Something has happened."""
        ...

    def show(self, recorder: Recorder, seconds: float) -> None:
        """So long it goes on now; called several times a second."""
        ...

    def label_wanted(self, labels: tuple[str, ...]) -> str | None:
        """The label that a person marked since the last call; None where none."""
        ...


def record(workspace: Workspace, request: Request, source: Source, watch: Watch, stop: threading.Event) -> Ended:
    """Record until the source ends, `stop` is set, or nothing can be written; then bring it into the dataset.

    Raises:
        SensorloomError: it cannot begin.
    """
    check_name(workspace, request.dataset)
    recorder = _begin(workspace, request, source)
    messages: queue.Queue[tuple[bytes, int] | None] = queue.Queue(_QUEUE)
    sentences: queue.Queue[str] = queue.Queue()
    ends = threading.Event()

    def put(message: bytes) -> None:
        if not message:
            return
        arrival = time.time_ns()
        while not ends.is_set():
            try:
                messages.put((message, arrival), timeout=0.2)
                return
            except queue.Full:
                continue

    def run() -> None:
        try:
            source.run(put, sentences.put, ends)
        except Exception as error:  # whatever a library raises ends the source, not the recording
            sentences.put(f"{source.name}: {' '.join(f'{type(error).__name__}: {error}'.split())[:200]}")
        _put_end(messages, ends)

    thread = threading.Thread(target=run, name="source", daemon=True)
    thread.start()
    try:
        reason = _until_end(recorder, request, watch, messages, sentences, stop)
    except (OSError, SensorloomError) as error:
        reason = system_reason(error) if isinstance(error, OSError) else str(error)
    finally:
        ends.set()
        problem = _closed(recorder)
    thread.join(2.0)
    for sentence in [*recorder.sentences, *_all_of(sentences)]:
        watch.tell(sentence)
    if sum(sensor.rows for sensor in recorder.sensors) > _MANY_ROWS:
        watch.tell("it is brought into the dataset …")
    try:
        return _finished(workspace, recorder, problem or reason)
    finally:
        recorder.let_go()


def _put_end(messages: queue.Queue[tuple[bytes, int] | None], ends: threading.Event) -> None:
    """Say that nothing follows, as soon as there is room for it and while somebody listens."""
    while not ends.is_set():
        try:
            messages.put(None, timeout=0.2)
            return
        except queue.Full:
            continue


def _begin(workspace: Workspace, request: Request, source: Source) -> Recorder:
    recording = next_recording(workspace, request.dataset, request.subject)
    units = {**known_units(workspace, request.dataset), **request.form.units}
    labels = tuple(dict.fromkeys((*request.labels, *known_activities(workspace, request.dataset))))
    form = replace(request.form, units=units)
    state = new_state(request.dataset, recording, source.name, form, request.length_sec, request.overlap)
    state = replace_state(state, subject=request.subject, known_labels=labels)
    try:
        recorder = Recorder(live_folder(workspace, request.dataset, recording), state)
    except OSError as error:
        raise SensorloomError(f"cannot record into {request.dataset}: {system_reason(error)}") from error
    if request.label:
        recorder.mark(request.label, time.time_ns())
    return recorder


@dataclass(slots=True)
class _Turns:
    """When what was last done that is done again and again, and why the recording is over, if it is."""

    began: float
    written: float
    saved: float
    shown: float
    came: float

    def why_over(self, now: float, request: Request, stop: threading.Event) -> str:
        """What ends the recording now; empty while nothing does."""
        if stop.is_set():
            return "stopped"
        if request.seconds is not None and now - self.began >= request.seconds:
            return f"{request.seconds:g} s are over"
        if request.idle_sec is not None and now - self.came >= request.idle_sec:
            return f"nothing has come for {request.idle_sec:g} s"
        return ""


def _until_end(
    recorder: Recorder,
    request: Request,
    watch: Watch,
    messages: queue.Queue[tuple[bytes, int] | None],
    sentences: queue.Queue[str],
    stop: threading.Event,
) -> str:
    """Record until something ends it; returns what did. Raises OSError or SensorloomError: the disk is full."""
    turns = _Turns(*[time.monotonic()] * 5)
    while True:
        now = time.monotonic()
        _do_what_is_due(turns, now, recorder, watch, sentences, behind=not messages.empty())
        if why := turns.why_over(now, request, stop):
            for message in _all_of(messages):  # what has come by now was recorded, as who stops it sees it
                if message is not None:
                    recorder.feed(*message)
            return why
        try:
            message = messages.get(timeout=max(0.001, WRITE_SEC - (time.monotonic() - turns.written)))
        except queue.Empty:
            continue
        if message is None:
            return "the source has ended"
        turns.came = now
        recorder.feed(*message)


def _do_what_is_due(
    turns: _Turns, now: float, recorder: Recorder, watch: Watch, sentences: queue.Queue[str], *, behind: bool
) -> None:
    if now - turns.written >= WRITE_SEC:
        turns.written = now
        recorder.tick(time.time_ns(), behind=behind)
        told, recorder.sentences = recorder.sentences, []
        for sentence in [*told, *_all_of(sentences)]:
            watch.tell(sentence)
        if (label := watch.label_wanted(recorder.state.known_labels)) is not None:
            recorder.mark(label, time.time_ns())
    if now - turns.saved >= SAVE_SEC:
        turns.saved = now
        recorder.save()
    if now - turns.shown >= SHOW_SEC:
        turns.shown = now
        watch.show(recorder, now - turns.began)


def _closed(recorder: Recorder) -> str:
    """Close it; what stopped the last rows from being written, if something did."""
    try:
        recorder.close()
    except OSError as error:
        return system_reason(error)
    except SensorloomError as error:
        return str(error)
    return ""


def _all_of(waiting: queue.Queue[Waiting]) -> list[Waiting]:
    """What waits in a queue at this moment; what is put there meanwhile stays."""
    return [waiting.get_nowait() for _ in range(waiting.qsize())]


def _finished(workspace: Workspace, recorder: Recorder, reason: str) -> Ended:
    try:
        return Ended(reason, finish(workspace, read_live(recorder.folder)))
    except SensorloomError as error:
        kept_in = workspace.shown(recorder.folder)
        way = f"what came is safe in {kept_in}; `sensorloom record --recover` brings it into the dataset"
        return Ended(reason, None, f"{error}; {way}")
