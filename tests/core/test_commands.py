from __future__ import annotations

import pytest

from core.cli.commands import COMMANDS, run_command


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_explains_itself(name: str, capsys: pytest.CaptureFixture[str]):
    assert run_command([name, "--help"]) == 0
    told = capsys.readouterr()
    assert "Usage: sensorloom" in told.out and not told.err


def test_a_wrong_command_is_one_line_with_the_nearest_right_one(capsys: pytest.CaptureFixture[str]):
    assert run_command(["exprot"]) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1 and "`export`" in told.err
