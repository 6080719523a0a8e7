"""Converting v3 threads to v4. The originals move to `threads_v3_backup/` beside the threads folder, byte for byte.

A v3 thread keeps its turns in `conversation`, each with an `action`: `use_tool` (`reasoning`, `tool_call`,
`tool_result`), `respond` (`response`), and an end in `final_answer` and `explanation`, in the thread or in a last turn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import SensorloomError, ThreadError, system_reason
from core.storage import store, thread_files
from core.thread.json_form import decode_object, shape_of
from core.thread.opening import first_message
from core.thread.summary import Summary
from core.thread.value import SCHEMA_VERSION, Thread, final_answer, recount, timestamp
from core.workspace import Workspace

BACKUP_FOLDER = "threads_v3_backup"

_MOVED_TOP = {
    "thread_id", "conversation", "schema_version", "dataset_name", "session_id", "ground_truth_label", "status",
    "metadata", "final_answer", "explanation", "confidence", "is_correct", "created_at", "last_modified", "updated_at",
    "user_query", "query", "max_turns",
}  # fmt: skip
_MOVED_TURN = {
    "turn", "action", "reasoning", "tool_call", "tool_calls", "tool_result", "tool_results", "response",
    "final_answer", "explanation", "answer", "confidence",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Migrated:
    """What became of one v3 file."""

    stem: str
    id: str = ""
    """The new thread's id; empty when it could not be converted."""
    backup: str = ""
    """Where the original went, or would go."""
    problem: str = ""


def backup_folder(workspace: Workspace) -> Path:
    """Where originals go: beside the threads folder."""
    return workspace.threads.parent / BACKUP_FOLDER


def migrate(
    workspace: Workspace,
    listing: Sequence[Summary],
    *,
    dry_run: bool = False,
    progress: Callable[[int, int], object] = lambda _done, _total: None,
) -> list[Migrated]:
    """Convert every v3 thread of the folder. A file that cannot be converted stays where it is, with the reason.

    Args:
        workspace: whose threads folder.
        listing: the folder's summaries.
        dry_run: only say what would be done.
        progress: called with how many were looked at, and of how many.
    """
    found = [one for one in listing if one.shape == "v3"]
    done: list[Migrated] = []
    for number, summary in enumerate(found, 1):
        try:
            done.append(_migrate(workspace, summary.stem, dry_run=dry_run))
        except SensorloomError as error:
            done.append(Migrated(summary.stem, problem=str(error)))
        progress(number, len(found))
    return done


def converted(document: Mapping[str, Any], new_id: str, manifest: Mapping[str, Any]) -> Thread:
    """A v3 document as a v4 thread. Fields we do not know stay, at the top, in the metadata or on the message.

    Raises:
        ThreadError: it has no turns that could be read.
    """
    old = document.get("metadata")
    metadata = dict(old) if isinstance(old, Mapping) else {}
    query = _query(document, metadata)
    messages: list[dict[str, Any]] = [dict(first_message(manifest, query))]
    for number, turn in enumerate(_turns(document), 1):
        messages += _messages(turn, new_id, number)
    messages += _ending(document, messages)
    made = {
        "dataset": document.get("dataset_name"),
        "session": document.get("session_id"),
        "ground_truth": document.get("ground_truth_label"),
        "status": document.get("status", "active"),
        **{key: metadata.get(key) for key in ("num_turns", "num_tool_calls", "num_responds")},
        "is_correct": document.get("is_correct"),
        "confidence": document.get("confidence"),
        "user_query": query,
        "schema_version": SCHEMA_VERSION,
        "created_at": document.get("created_at") or metadata.get("created_at") or timestamp(),
        "last_modified": document.get("last_modified") or document.get("updated_at") or timestamp(),
        "migrated_from": document.get("thread_id"),
    }
    kept = {key: value for key, value in metadata.items() if key not in made}
    if isinstance(limit := document.get("max_turns"), int):
        made["max_turns"] = limit
    rest = {key: value for key, value in document.items() if key not in _MOVED_TOP}
    return recount(Thread({"id": new_id, "metadata": {**made, **kept}, "messages": messages, **rest}))


def _migrate(workspace: Workspace, stem: str, *, dry_run: bool) -> Migrated:
    path = thread_files.path_of(workspace.threads, stem)
    document = decode_object(thread_files.read_bytes(path), path.name)
    if shape_of(document) != "v3":
        raise ThreadError(f"{path.name}: no longer a v3 thread")
    backup = _free(backup_folder(workspace), path.name)
    before = _converted_before(workspace, document)
    new_id = before or _new_id(workspace, document, stem)
    thread = converted(document, new_id, _manifest(workspace, document))
    if dry_run:
        return Migrated(stem, new_id, str(backup))
    if not before:
        store.create(workspace.threads, thread)
    _move(path, backup)
    return Migrated(stem, new_id, str(backup))


def _turns(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    turns = document.get("conversation")
    if not isinstance(turns, list) or not all(isinstance(turn, Mapping) for turn in turns):
        raise ThreadError(f"{document.get('thread_id')}: `conversation` is no list of turns; mend it by hand")
    return turns


def _messages(turn: Mapping[str, Any], new_id: str, number: int) -> list[dict[str, Any]]:
    """A turn's messages: what the assistant said, then the result of what it called."""
    rest = {key: value for key, value in turn.items() if key not in _MOVED_TURN}
    call = turn.get("tool_call")
    if isinstance(call, Mapping):
        name = str(call.get("tool_name") or call.get("name") or call.get("tool") or "")
        arguments = next((call[key] for key in ("parameters", "arguments", "args") if key in call), {})
        call_id = f"call_{new_id}_turn_{number}"
        function = {"name": name, "arguments": arguments if isinstance(arguments, str) else _text(arguments)}
        asked = {
            "role": "assistant",
            "content": str(turn.get("reasoning") or ""),
            "tool_calls": [{"id": call_id, "type": "function", "function": function}],
            **rest,
        }
        if "tool_result" not in turn:
            return [asked]
        result = turn["tool_result"]
        content = result if isinstance(result, str) else _text(result)
        return [asked, {"role": "tool", "tool_call_id": call_id, "name": name, "content": content}]
    parts = [turn.get(key) for key in ("reasoning", "response", "explanation")]
    said = "\n\n".join(dict.fromkeys(str(part).strip() for part in parts if part))
    answer = turn.get("final_answer") or turn.get("answer")
    if answer and not final_answer(said):
        said = f"{said}\n\n{_answer_lines(answer, turn.get('confidence'))}".strip()
    return [{"role": "assistant", "content": said, "tool_calls": None, **rest}]


def _ending(document: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The thread's own final answer as a message, unless its last turn gave it already."""
    answer = document.get("final_answer")
    last = messages[-1]
    if not answer or (last["role"] == "assistant" and final_answer(str(last["content"]))):
        return []
    text = f"{document.get('explanation') or ''}\n\n{_answer_lines(answer, document.get('confidence'))}".strip()
    return [{"role": "assistant", "content": text, "tool_calls": None}]


def _answer_lines(answer: Any, confidence: Any) -> str:
    sure = f"Confidence: {confidence}\n" if str(confidence).lower() in ("high", "medium", "low") else ""
    return f"{sure}Final Answer: {answer}"


def _query(document: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    context = document.get("initial_context")
    places = (document, metadata, context if isinstance(context, Mapping) else {})
    found = (place.get(key) for place in places for key in ("user_query", "query"))
    return next((str(query) for query in found if query), "")


def _manifest(workspace: Workspace, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The dataset's manifest: from the workspace, else from the thread, else only its name."""
    from core.datasets.standard import open_dataset

    name = str(document.get("dataset_name") or "")
    try:
        return open_dataset(workspace, name).manifest
    except SensorloomError:
        context = document.get("initial_context")
        kept = context if isinstance(context, Mapping) else {}
        found = next((kept[key] for key in ("manifest", "dataset_manifest", "dataset_info") if key in kept), None)
        return found if isinstance(found, Mapping) else {"dataset_name": name}


def _new_id(workspace: Workspace, document: Mapping[str, Any], stem: str) -> str:
    renamed = re.sub(r"_v3(?=_|$)", "_v4", str(document.get("thread_id") or stem))
    free = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,180}", renamed) is not None
    if free and renamed != stem and not thread_files.path_of(workspace.threads, renamed).exists():
        return renamed
    return store.new_id(workspace.threads, str(document.get("dataset_name")), str(document.get("session_id")))


def _converted_before(workspace: Workspace, document: Mapping[str, Any]) -> str:
    """The id of the thread that an earlier, interrupted migration made of this one; empty when there is none."""
    renamed = re.sub(r"_v3(?=_|$)", "_v4", str(document.get("thread_id") or ""))
    try:
        found = store.read(workspace.threads, renamed).thread
    except SensorloomError:
        return ""
    return renamed if found.metadata.get("migrated_from") == document.get("thread_id") else ""


def _move(path: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    except OSError as error:
        raise SensorloomError(f"cannot move {path.name} to {target}: {system_reason(error)}") from error


def _free(folder: Path, name: str) -> Path:
    """A name in the backup folder that no earlier original has."""
    path = folder / name
    number = 1
    while path.exists():
        number += 1
        path = folder / f"{Path(name).stem}.{number}.json"
    return path


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
