"""Whether a folder may act: name the servers that threads go to, and bring tools that run as Python.

Somebody else's folder is only data until a person says otherwise. The answer is kept outside of it, in the person's own
state folder, one small file for each workspace, with the digests of what was looked at: a changed file is asked about
again. A record that cannot be read counts as no answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import platformdirs

from core.errors import WorkspaceError, system_reason
from core.files import read_regular_file, replace_file
from core.settings import SETTINGS_FILE, acting_part, load_tables
from core.settings_tables import secret_texts, variables_in
from core.text import one_line

TOOLS_FILE = "sensorloom_tools.py"
"""A person's own tools: functions under `@tool` from `tools.registry`, in the workspace or the user configuration."""

Answer = Literal["yes", "no", ""]


def user_folder() -> Path:
    """Where a person's own `sensorloom.toml` and `sensorloom_tools.py` are; they apply everywhere and need no trust."""
    return platformdirs.user_config_path("sensorloom", appauthor=False)


@dataclass(frozen=True, slots=True)
class Acts:
    """What files of a workspace do, where they are trusted."""

    files: Mapping[str, str]
    """The digest of each file that acts, by its name."""
    sentences: tuple[str, ...]
    """What they do, a sentence each."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person has to decide about a workspace."""

    root: Path
    files: Mapping[str, str]
    """The digest of each file that acts, by its name."""
    untrusted: frozenset[str]
    """The names of those that nobody trusts as they are."""
    sentences: tuple[str, ...]
    """What these would do, a sentence each."""
    answer: Answer
    """What a person said of exactly these files; empty when nobody was asked."""

    @property
    def ignored(self) -> str:
        """One sentence on what is left out while the folder is not trusted."""
        return f"not trusted, so ignored: {'; '.join(self.sentences)} (`sensorloom trust` trusts this folder)"


def acts_of(root: Path, *, unless_trusted: bool = False) -> Acts:
    """What the files of a workspace do; of those that are not trusted as they are, where that is asked.

    Raises:
        WorkspaceError: its `sensorloom.toml` cannot be read.
    """
    files: dict[str, str] = {}
    sentences: list[str] = []
    for name, acts in ((SETTINGS_FILE, _endpoint_sentences(root)), (TOOLS_FILE, _tools_sentences(root))):
        data = _bytes_of(root / name) if acts else None
        if data is not None and not (unless_trusted and is_trusted(root, name, data)):
            files[name] = _digest(data)
            sentences += acts
    return Acts(files, tuple(sentences))


def question(root: Path) -> Question | None:
    """What a person has to decide about a workspace; None when nothing in it acts, or what acts is trusted.

    Raises:
        WorkspaceError: its `sensorloom.toml` cannot be read.
    """
    untrusted = acts_of(root, unless_trusted=True)
    if not untrusted.files:
        return None
    files, record = acts_of(root).files, _record(root)
    answer: Answer = "no" if record.get("answer") == "no" and record.get("files") == files else ""
    return Question(root, files, frozenset(untrusted.files), untrusted.sentences, answer)


def is_trusted(root: Path, name: str, data: bytes) -> bool:
    """Whether a person trusts the workspace's file `name` as it is, with the content `data`."""
    record = _record(root)
    files = record.get("files")
    return record.get("answer") == "yes" and isinstance(files, dict) and files.get(name) == _digest(data)


def why_untrusted(root: Path, name: str) -> str:
    """Why the workspace's file `name`, which nobody trusts as it is, is left out, and the way out: one clause."""
    record = _record(root)
    files = record.get("files")
    if record.get("answer") == "yes" and isinstance(files, dict) and name in files:
        return "it changed since it was trusted (`sensorloom trust` trusts it as it is now)"
    return "nobody trusts it as it is (`sensorloom trust` does)"


def keep_answer(root: Path, files: Mapping[str, str], *, trusted: bool) -> None:
    """Keep a person's answer about these files of a workspace (their digests, as `Question.files` has them).

    Raises:
        WorkspaceError: it cannot be kept.
    """
    path = _record_path(root)
    record = {"folder": str(root.resolve()), "answer": "yes" if trusted else "no", "files": dict(files)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(path, (json.dumps(record, indent=2) + "\n").encode())
    except (OSError, UnicodeEncodeError) as error:
        reason = system_reason(error) if isinstance(error, OSError) else "the folder's name is no text"
        raise WorkspaceError(f"the answer cannot be kept in {path}: {reason}") from error


def _endpoint_sentences(root: Path) -> list[str]:
    acting = acting_part(load_tables(root / SETTINGS_FILE))
    sentences: list[str] = []
    for endpoint in acting.get("endpoints", ()):
        name, key = endpoint["name"], endpoint.get("api_key_env")
        with_key = f", with the key in ${key}" if key else ""
        with_key += _with_variables(endpoint.get("headers"), endpoint.get("extra_body"))
        sentences.append(one_line(f"{SETTINGS_FILE} sends threads to {name} at {endpoint['base_url']}{with_key}"))
    if chosen := acting.get("model", {}).get("endpoint"):
        sentences.append(one_line(f"{SETTINGS_FILE} chooses the endpoint {chosen}"))
    if headers := acting.get("model", {}).get("headers"):
        sentences.append(one_line(f"{SETTINGS_FILE} sends headers to any endpoint{_with_variables(headers)}"))
    if extra := acting.get("model", {}).get("extra_body"):
        asked = f"{', '.join(extra)} too{_with_variables(None, extra)}"
        sentences.append(one_line(f"{SETTINGS_FILE} asks any endpoint for {asked}"))
    return sentences


def _with_variables(headers: Mapping[str, str] | None, extra: Mapping[str, Any] | None = None) -> str:
    """Which variables of the environment go with some headers, and with further keys of requests."""
    values = [*(headers or {}).values(), *(value for _, value in secret_texts(extra))]
    names = sorted({name for value in values for name in variables_in(value)})
    return f", with what is in {', '.join(f'${name}' for name in names)}" if names else ""


def _tools_sentences(root: Path) -> list[str]:
    return [f"{TOOLS_FILE} runs as Python, with your rights"] if (root / TOOLS_FILE).exists() else []


def _bytes_of(path: Path) -> bytes | None:
    try:
        return read_regular_file(path)
    except OSError:
        return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _record_path(root: Path) -> Path:
    name = hashlib.sha256(str(root.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return platformdirs.user_state_path("sensorloom", appauthor=False) / "trust" / f"{name}.json"


def _record(root: Path) -> dict[str, Any]:
    try:
        record = json.loads(_record_path(root).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    same = isinstance(record, dict) and record.get("folder") == str(root.resolve())
    return record if same else {}
