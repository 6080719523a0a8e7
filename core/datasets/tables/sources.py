"""Which files make up one recording."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from core.datasets.archive import RawFile
from core.datasets.tables.channels import sensor_word
from core.datasets.tables.joining import Source
from core.datasets.tables.paths import path_facts


def sources_of(files: Sequence[RawFile], templates: Sequence[str] = (), scratch: Path | None = None) -> list[Source]:
    """Which files make up one recording: those of one folder whose names differ in the sensor's word alone, or as
    templates of their paths say.

    Args:
        files: of rows.
        templates: what paths tell.
        scratch: a folder for samples that memory need not hold.
    """
    groups: dict[str, list[RawFile]] = {}
    for file in files:
        if facts := path_facts(file.name, templates):
            groups.setdefault(facts.recording, []).append(file)
            continue
        folder, _, name = file.name.rpartition("/")
        rest = _without_sensor(name.rpartition(".")[0])
        groups.setdefault("/".join(filter(None, (folder, rest))) or "recording", []).append(file)
    return [Source(name, tuple(group), scratch) for name, group in sorted(groups.items())]


def _without_sensor(stem: str) -> str:
    """A file's name without the words that name a sensor: `S01_acc_run2` and `S01_gyro_run2` are one recording."""
    words = re.split(r"([_\-. ]+)", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem))
    rest = [word for word in words if not sensor_word(word) or re.fullmatch(r"[_\-. ]+", word)]
    if len(rest) == len(words):
        return stem
    return re.sub(r"[_\-. ]+", "_", "".join(rest)).strip("_")
