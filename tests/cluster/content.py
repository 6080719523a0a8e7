"""A thread by its content: what must be the same wherever it was made."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

TIMES = ("created_at", "last_modified")


def content(text: str) -> str:
    """A thread's JSON without its id, which also stands in the ids of its calls, and without its times."""
    document: dict[str, Any] = json.loads(text)
    document = json.loads(text.replace(document["id"], "ID"))
    for name in TIMES:
        document["metadata"].pop(name, None)
    for message in document["messages"]:
        for name in ("seconds", "at", "timestamp"):
            message.pop(name, None)
    return json.dumps(document, sort_keys=True)


def contents(folder: Path) -> Counter[str]:
    """Every thread of a folder by its content."""
    return Counter(content(path.read_text()) for path in sorted(folder.glob("*.json")))


def told_apart(one_folder: Path, other_folder: Path) -> tuple[int, int, int]:
    """How many threads two folders share, and how many are in the first and in the second alone."""
    first, second = contents(one_folder), contents(other_folder)
    return (first & second).total(), (first - second).total(), (second - first).total()
