"""Marks by key and by line while it is recorded, and the lines that are shown where there is no terminal."""

from __future__ import annotations

import io

import numpy as np
import pytest

from core.cli.commands import run_command
from core.cli.record_watch import PlainWatch, key_words, read_lines, sparkline
from core.workspace import Workspace


def test_a_digit_marks_a_known_label_and_a_line_any(capsys: pytest.CaptureFixture[str]):
    watch, labels = PlainWatch(quiet=False), ("walking", "sitting")
    assert watch.label_wanted(labels) is None
    watch.press("2")
    assert watch.label_wanted(labels) == "sitting"
    watch.press("0")
    assert watch.label_wanted(labels) == ""
    watch.press("7")
    assert watch.label_wanted(labels) is None and "no label 7; keys: 1 walking · 2 sitting" in capsys.readouterr().err
    read_lines(watch, io.StringIO("label: climbing  stairs\nwhat?\n"))
    assert watch.label_wanted(labels) == "climbing stairs" and "'what?' is no mark" in capsys.readouterr().err
    assert key_words(()) == ""


def test_the_last_seconds_as_bars_are_blank_where_nothing_came():
    time_sec = np.concatenate([np.arange(0, 4, 0.02), np.arange(7, 10, 0.02)])
    row = sparkline(time_sec, np.sin(time_sec), 50)
    assert len(row) == 50 and row[22:34].strip() == "" and " " not in row[1:19] + row[36:50]
    assert sparkline(time_sec, np.full(len(time_sec), np.nan), 10) == " " * 10


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name the dataset"),
        (["walk", "--udp", "0", "--tcp", "0"], "one source at a time"),
        (["../x", "--udp", "0"], "no plain folder name"),
        (["walk", "--udp", "0", "--unit", "acc"], "a sensor and its unit are needed"),
        (["walk", "--last"], "nothing is recorded into walk"),
        (["--last"], "nothing is recorded at the moment"),
    ],
)
def test_what_cannot_be_recorded_is_said(
    workspace: Workspace, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
):
    assert run_command(["record", *arguments, "--workspace", str(workspace.root)]) == 1
    assert told in capsys.readouterr().err
