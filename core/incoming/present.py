"""Which conversations are threads of the folder already, so that the same row twice is one thread."""

from __future__ import annotations

from collections import defaultdict
from typing import cast

from core.errors import ThreadError
from core.incoming.conversation import Conversation, saying, sayings
from core.incoming.matching import UNMATCHED, Match
from core.storage.store import read_all
from core.thread.value import Message, Thread, is_assistant
from core.workspace import Workspace


class Present:
    """What the threads of a folder say, looked through when the first row is asked about."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._looked = False
        self._session_of: dict[str, tuple[str, str]] = {}
        self._whole: defaultdict[str, list[str]] = defaultdict(list)
        """The stems of the threads that say something, by its hash."""
        self._ways: dict[str, str] = {}
        """By the hash of what a thread says up to a turn, or might have said instead: its stem."""

    def _look(self) -> None:
        if self._looked:
            return
        for stored in read_all(self._workspace.threads):
            if not isinstance(stored, ThreadError):
                self.add(stored.thread, stored.stem)
        self._looked = True

    def add(self, thread: Thread, stem: str = "") -> None:
        """A thread that is there, or is about to be."""
        stem = stem or thread.id
        self._session_of[stem] = (thread.dataset, thread.session)
        for count, hashed in sayings(thread.messages):
            if is_assistant(thread.messages[count - 1]):
                self._ways.setdefault(hashed, stem)
        self._whole[saying(thread.messages)].append(stem)
        for alternative in thread.alternatives:
            position, turn = alternative.get("position"), alternative.get("messages")
            if isinstance(position, int) and isinstance(turn, list) and turn and isinstance(turn[0], dict):
                other = cast("Message", turn[0])
                self._ways.setdefault(saying([*thread.messages[:position], other]), stem)

    def thread_of(self, conversation: Conversation, match: Match) -> str:
        """The stem of the thread that a row is; empty where it is none.

        A row with an id is the thread of that id, if that says the same. A pair is there where both its ways are.
        """
        self._look()
        hashed = saying(conversation.messages)
        if conversation.rejected:
            worse = [
                saying([*conversation.messages[: other.position], other.message]) for other in conversation.rejected
            ]
            every = [hashed, *worse]
            return self._ways[hashed] if all(way in self._ways for way in every) else ""
        same = self._whole.get(hashed, [])
        if conversation.id:
            if conversation.id in same:
                return conversation.id
            if conversation.id not in self._session_of:
                return ""
        known = (match.dataset, match.session)
        alike = [stem for stem in same if match.dataset == UNMATCHED or self._session_of[stem] == known]
        return alike[0] if alike else ""
