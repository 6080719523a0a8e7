"""Which session a row is about: by what it says itself, never by what would merely be likely."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from core.datasets.standard import StandardDataset, dataset_names, open_dataset
from core.errors import DatasetError
from core.incoming.conversation import Conversation
from core.storage.store import id_base
from core.thread.opening import opening_of
from core.thread.scoring import states_its_form
from core.thread.turns import call_ids
from core.thread.value import Message, text_of
from core.workspace import Workspace

UNMATCHED = "imported"
"""The dataset of threads whose session is not known."""
_STORED_ID = re.compile(r"(?:call_)?(?P<base>.+)_v[34]_\d+(?:_turn_\d+(?:_\d+)?)?")


class Match(NamedTuple):
    """The session a row is about."""

    dataset: str
    session: str
    label: str = ""
    """What is right; empty where the question may ask for something else."""
    how: str = ""
    """What told it, for a person."""


class Sessions:
    """The sessions of a workspace's datasets, as rows name them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @cached_property
    def _datasets(self) -> tuple[StandardDataset, ...]:
        return tuple(self._opened())

    def _opened(self) -> Iterator[StandardDataset]:
        for name in dataset_names(self._workspace):
            try:
                yield open_dataset(self._workspace, name)
            except DatasetError:
                continue

    @cached_property
    def _by_base(self) -> Mapping[str, tuple[StandardDataset, str]]:
        """Sessions by what their threads' ids begin with; one that two sessions share tells neither."""
        bases: dict[str, tuple[StandardDataset, str] | None] = {}
        for dataset in self._datasets:
            for session in dataset.labels:
                base = id_base(dataset.name, session)
                bases[base] = None if base in bases else (dataset, session)
        return {base: session for base, session in bases.items() if session}

    def of(self, conversation: Conversation, question: str) -> Match | None:
        """The session of a row without metadata of its own; None where the row does not name one that is here."""
        named = self._by_hints(conversation.hints or {}) or self._by_ids(conversation)
        if named is None:
            return None
        (dataset, session), how = named
        labels = dataset.labels.get(session, ())
        label = labels[0] if len(labels) == 1 and not states_its_form(question) else ""
        return Match(dataset.name, session, label, how)

    def _by_hints(self, hints: Mapping[str, str]) -> tuple[tuple[StandardDataset, str], str] | None:
        for dataset in self._datasets:
            if dataset.name == hints.get("dataset") and hints.get("session") in dataset.labels:
                return (dataset, hints["session"]), "its `dataset` and `session`"
        return None

    def _by_ids(self, conversation: Conversation) -> tuple[tuple[StandardDataset, str], str] | None:
        """By the thread's id or the calls', which begin with dataset and session, as threads of ours have them."""
        for text in (conversation.id, *call_ids(conversation.messages)):
            match = _STORED_ID.fullmatch(text)
            if match and (session := self._by_base.get(match["base"])):
                return session, "its ids"
        return None

    def dataset_of(self, messages: tuple[Message, ...]) -> str:
        """The dataset whose manifest the opening message shows, word for word; empty where it is none of these."""
        first = next((message for message in messages if message.get("role") == "user"), {})
        try:
            shown = json.loads(opening_of(text_of(first)).manifest or "")
        except (ValueError, RecursionError):
            return ""
        return next((dataset.name for dataset in self._datasets if dict(dataset.manifest) == shown), "")
