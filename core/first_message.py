"""The message that opens a thread, and the prompts that are sent with it but never stored."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from core.errors import DatasetError
from core.workspace import Workspace

_PROMPTS = Path(__file__).parent / "analyst" / "prompts"


@cache
def system_prompt() -> str:
    """What every model is told when it makes a turn."""
    return (_PROMPTS / "system.txt").read_text(encoding="utf-8").strip()


@cache
def query_prompt() -> str:
    """What a model is told when it proposes the user's question."""
    return (_PROMPTS / "query.txt").read_text(encoding="utf-8").strip()


def first_message(manifest: Any, query: str) -> dict[str, str]:
    """The user message that opens a thread (FORMAT.md): the dataset's manifest and the question."""
    described = json.dumps(manifest, indent=2, ensure_ascii=False)
    return {"role": "user", "content": f"Dataset Information:\n{described}\n\nUser Query: {query}"}


def read_manifest(workspace: Workspace, dataset: str) -> Any:
    """A dataset's manifest as its own file has it.

    Raises:
        DatasetError: the file is missing or no JSON.
    """
    path = workspace.data / dataset / "manifest.json"
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise DatasetError(
            f"there is no dataset {dataset!r} in {workspace.shown(workspace.data)}; "
            "`sensorloom datasets list` shows those there are"
        ) from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"{workspace.shown(path)}: cannot be read as a manifest: {error}") from error
