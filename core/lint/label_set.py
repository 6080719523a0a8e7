"""What a thread could have been answered with."""

from __future__ import annotations

import json
from typing import Any

from core.errors import SensorloomError
from core.lint.finding import Context
from core.thread.opening import opening_of
from core.thread.scoring import kind_in, scoring_of
from core.thread.value import Thread, text_of
from core.workspace import Workspace


def manifest_of(thread: Thread) -> dict[str, Any]:
    """The dataset's manifest as the first message shows it; empty when it shows none."""
    text = opening_of(text_of(thread.messages[0])).manifest if thread.messages else None
    try:
        manifest = json.loads(text or "")
    except (ValueError, RecursionError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def label_set(thread: Thread, context: Context) -> tuple[str, ...]:
    """The dataset's labels, from the dataset itself or else from the manifest in the first message."""
    if context.labels:
        return context.labels
    listed = manifest_of(thread).get("activities") or ()
    if isinstance(listed, dict):
        listed = list(listed.values())
    return tuple(str(label) for label in listed if isinstance(label, str)) if isinstance(listed, list) else ()


def answers_of(thread: Thread, context: Context) -> tuple[str, ...]:
    """Every answer that the thread's question could have: labels, words or names; empty where a number is asked for."""
    scoring = scoring_of(kind_in(thread.metadata))
    if scoring.is_label:
        return label_set(thread, context)
    if kind_in(thread.metadata) == "fault":
        from core.datasets.manifest_channels import channels_of
        from tools.sensors import sensors_of

        return (*(sensor.name for sensor in sensors_of(channels_of(manifest_of(thread)))), "none")
    return scoring.answers


def dataset_labels(workspace: Workspace, dataset: str) -> tuple[str, ...]:
    """The labels of a dataset of the workspace; empty when it is not there."""
    from core.datasets.standard import open_dataset

    try:
        return tuple(open_dataset(workspace, dataset).activities)
    except SensorloomError:
        return ()
