"""A row's conversation as a thread: its id, its session, its metadata."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from core.incoming.conversation import Conversation, saying
from core.incoming.matching import UNMATCHED, Match, Sessions
from core.storage import history, history_files, thread_files
from core.storage.store import id_base, is_safe_stem
from core.thread.alternatives import entry
from core.thread.opening import opening_of
from core.thread.proposal import context_hash
from core.thread.turns import call_ids, with_call_ids, with_thread_id
from core.thread.updates import recount, with_alternatives
from core.thread.value import SCHEMA_VERSION, Message, Thread, is_assistant, text_of, timestamp
from core.workspace import Workspace

_NEUTRAL = re.compile(r"call\d{5}|")
_NUMBERED = re.compile(r"(?P<base>.+)_v4_(?P<number>\d+)")


class Threads:
    """Makes threads of conversations, with ids that none has or had."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._sessions = Sessions(workspace)

    @cached_property
    def _names(self) -> set[str]:
        """The ids that are some thread's, or were: those whose every step was undone are free again."""
        return set(thread_files.stems(self._workspace.threads)) | set(history_files.reserved(self._workspace))

    @cached_property
    def _highest(self) -> list[int]:
        return [max((int(match["number"]) for match in map(_NUMBERED.fullmatch, self._names) if match), default=0)]

    @cached_property
    def _gone(self) -> Mapping[str, list[str]]:
        """Ids without a file by what they begin with, the first ones last."""
        there = set(thread_files.stems(self._workspace.threads))
        gone: dict[str, list[str]] = defaultdict(list)
        for stem in sorted(self._names - there, reverse=True):
            if match := _NUMBERED.fullmatch(stem):
                gone[match["base"]].append(stem)
        return gone

    def match(self, conversation: Conversation) -> Match:
        """The session that a row is about, as its metadata have it, or as what it says names it."""
        if session := _session_in(conversation.metadata or {}):
            return Match(*session, how="its metadata")
        named = self._sessions.of(conversation, _question(conversation.messages))
        return named or Match(UNMATCHED, saying(conversation.messages)[:12])

    def thread_of(self, conversation: Conversation, match: Match, file: str, line: int) -> Thread:
        """The thread that a row becomes. Its id is not given again."""
        own = conversation.id if is_safe_stem(conversation.id) and self._is_free(conversation.id) else ""
        stem = own or self._numbered(match.dataset, match.session)
        self._names.add(stem)
        ids = call_ids(conversation.messages)
        keep = own and len(set(ids)) == len(ids) and not any(map(_NEUTRAL.fullmatch, ids))
        messages = list(conversation.messages) if keep else with_thread_id(conversation.messages, stem)
        metadata = self._metadata(conversation, match, file, line)
        document: dict[str, Any] = {"id": stem, "metadata": metadata, "messages": messages}
        if conversation.tools is not None:
            document["tools"] = list(conversation.tools)
        thread = recount(Thread({**document, **(conversation.others or {})}))
        return _with_rejected(thread, conversation)

    def _metadata(self, conversation: Conversation, match: Match, file: str, line: int) -> dict[str, Any]:
        """The row's own where they name its session, else what is known here over what the row has. A verdict that was
        given elsewhere stands among where it came from, and counts as nobody's."""
        now, own = timestamp(), dict(conversation.metadata or {})
        origin: dict[str, Any] = {"file": file, "line": line, "form": conversation.form}
        if "review" in own:
            origin["review"] = own.pop("review")
        if _session_in(own):
            return own | ({"imported": origin} if "review" in origin else {})
        if match.dataset == UNMATCHED and (shown := self._sessions.dataset_of(conversation.messages)):
            origin["manifest_of"] = shown
        review = {"verdict": "reject", "note": f"not desired in {file}, line {line}", "at": now}
        return own | {
            "dataset": match.dataset,
            "session": match.session,
            "ground_truth": match.label or own.get("ground_truth") or "",
            "user_query": _question(conversation.messages),
            "schema_version": SCHEMA_VERSION,
            "created_at": now,
            "last_modified": now,
            "imported": origin,
            **({"review": review} if conversation.undesired else {}),
        }

    def _numbered(self, dataset: str, session: str) -> str:
        base = id_base(dataset, session)
        gone = self._gone.get(base, [])
        while gone:
            if self._is_free(stem := gone.pop()):
                return stem
        self._highest[0] += 1
        return f"{base}_v4_{self._highest[0]:04d}"

    def _is_free(self, stem: str) -> bool:
        """Whether no thread has or had the id; one that exists only as something undone is free, so that no redo brings
        a second copy."""
        if stem not in self._names:
            return True
        if thread_files.exists(self._workspace.threads, stem):
            return False
        past = history.read(self._workspace, stem)
        return bool(past.undone) and not past.done


def _session_in(metadata: Mapping[str, Any]) -> tuple[str, str] | None:
    """The dataset and the session that metadata name; None where they do not."""
    dataset, session = metadata.get("dataset"), metadata.get("session")
    return (dataset, session) if isinstance(dataset, str) and isinstance(session, str) and dataset and session else None


def _with_rejected(thread: Thread, conversation: Conversation) -> Thread:
    alternatives: list[Mapping[str, Any]] = []
    for other in conversation.rejected:
        before = thread.messages[: other.position]
        turn = sum(map(is_assistant, before)) + 1
        message = _with_ids(other.message, thread.id, turn, len(alternatives) + 1)
        alternatives.append(entry(thread, other.position, [message], "discarded", context_hash(before)))
    return with_alternatives(thread, alternatives) if alternatives else thread


def _with_ids(message: Message, stem: str, turn: int, number: int) -> Message:
    """A rejected turn with ids of its own, which no turn of the thread has."""
    calls: Sequence[Any] = message.get("tool_calls") or ()
    ids: Iterable[str] = (f"call_{stem}_turn_{turn}_alternative_{number}_{call}" for call in range(1, len(calls) + 1))
    return with_call_ids([message], list(ids))[0] if calls else message


def _question(messages: Sequence[Message]) -> str:
    """What the user asks: after the opening message's mark, or the whole of it."""
    text = next((text_of(message) for message in messages if message.get("role") == "user"), "")
    start = opening_of(text).question_at
    return text if start is None else text[start:]
