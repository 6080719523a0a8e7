from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import UsageError, WorkspaceError
from core.model.endpoints import choose
from core.settings import load_settings
from core.workspace import open_workspace


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("[modl]\n", "line 1: unknown key `modl`; did you mean `model`?"),
        ('[model]\n\nendpint = "x"\n', "line 3: unknown key `endpint`; did you mean `endpoint`?"),
        ('[[endpoints]]\nname = "a"\n', "line 1: a table of `endpoints` has no `base_url`; add it"),
        ('[model]\ntemperature = "hot"\n', "line 2: `temperature`: expected `float | null`"),
        ("[model]\nmax_turns = 0\n", "line 2: `max_turns`: expected `int` >= 1"),
        ("[model]\ntemperature = -1\n", "line 2: `temperature`: expected `float` >= 0"),
        ("[model]\ntimeout_sec = nan\n", "line 2: `timeout_sec`: expected `float` > 0"),
        ('[paths]\ndata = "d"\n[keys]\n"turn.run" = 5\n', "line 3: `keys`: expected `str`"),
        ("[export.variety]\nleast_cites = 1\n", "line 2: unknown key `least_cites`; did you mean `least_cited`?"),
        ("[export]\n[export.variety]\nleast_cited = 90\n", "line 3: `least_cited`: expected `float` <= 1"),
        ("x =", "Invalid value"),
        (f"x = {'9' * 5000}\n", "a number has too many digits"),
        (f"x = {'[' * 5000}{']' * 5000}\n", "too deeply"),
        ("[model]\ntemperature = inf\n", "line 2: `temperature`: expected `float` <= 1000"),
    ],
)
def test_a_wrong_setting_is_one_sentence_with_file_line_and_the_right_word(tmp_path: Path, text: str, position: str):
    path = tmp_path / "sensorloom.toml"
    path.write_text(text)
    with pytest.raises(WorkspaceError) as failed:
        load_settings(path)
    assert str(failed.value).startswith(str(path)) and position in str(failed.value) and "\n" not in str(failed.value)


def test_settings_that_are_no_text_or_no_file_are_told_so(tmp_path: Path):
    path = tmp_path / "sensorloom.toml"
    path.write_bytes(b"# caf\xe9\n")
    with pytest.raises(WorkspaceError, match="UTF-8"):
        load_settings(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(WorkspaceError, match="is a directory"):
        load_settings(path)


@pytest.mark.parametrize("text", ['\ufeff[paths]\nthreads = "t"\n', '[paths]\r\nthreads = "t"\r\n'])
def test_settings_saved_by_a_windows_editor_are_read(tmp_path: Path, text: str):
    (tmp_path / "sensorloom.toml").write_bytes(text.encode())
    assert open_workspace(str(tmp_path), environ={}).threads == tmp_path / "t"


def test_a_part_of_the_workspace_that_is_no_name_or_a_file_is_refused(tmp_path: Path):
    for name in ("\\u0000", "x" * 5000):
        (tmp_path / "sensorloom.toml").write_text(f'[paths]\nthreads = "{name}"\n')
        with pytest.raises(WorkspaceError, match="is no name of a folder"):
            open_workspace(str(tmp_path), environ={})
    (tmp_path / "sensorloom.toml").unlink()
    (tmp_path / "notes").write_text("")
    with pytest.raises(WorkspaceError, match=r"threads folder .*notes is a file"):
        open_workspace(str(tmp_path), parts={"threads": str(tmp_path / "notes")}, environ={})


def test_an_address_without_http_is_refused_before_anything_is_asked(tmp_path: Path, trust: Callable[[Path], None]):
    (tmp_path / "sensorloom.toml").write_text('[[endpoints]]\nname = "a"\nbase_url = "localhost:8000"\n')
    trust(tmp_path)
    workspace = open_workspace(str(tmp_path), environ={})
    with pytest.raises(UsageError, match="'localhost:8000'; write it as http://"):
        choose(workspace, environ={})
