"""Every command says of every file the same: that it is a thread, or in one sentence why not; and goes on.

`make test` tries the files that are known to be odd and some that chance makes; `make fuzz` thousands.
"""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.cli.commands import run_command
from core.errors import ThreadError
from core.export.profiles import PROFILES
from core.listing.summary import look, summarize
from core.storage.thread_files import read_bytes
from core.thread.json_form import decode, decoded
from core.thread.skim import skimmed
from tests.core.export.threads import TOOLS, document

FILES = int(os.environ.get("SENSORLOOM_MUTATIONS", "40"))
"""Files that chance makes, beside the known ones."""

_Document = dict[str, Any]


def base() -> _Document:
    """A finished thread that holds everything a thread may hold."""
    thread = document(1, tags=["x"], review={"verdict": "accept", "note": "", "at": "2026"}, temperature=0.7)
    rejected = {"role": "assistant", "content": "I see.\n\nFinal Answer: sitting", "tool_calls": None}
    entry = {"position": 4, "context": "", "reason": "retried", "model": "m", "created_at": "", "messages": [rejected]}
    return {**thread, "tools": TOOLS, "alternatives": [entry]}


def _changed(change: Callable[[_Document], object]) -> bytes:
    thread = copy.deepcopy(base())
    change(thread)
    return json.dumps(thread, indent=2, ensure_ascii=False).encode()


def _call(thread: _Document) -> _Document:
    return thread["messages"][1]["tool_calls"][0]


def _with_arguments(arguments: Any) -> bytes:
    return _changed(lambda thread: _call(thread)["function"].update(arguments=arguments))


def _replaced(old: str, new: str) -> bytes:
    data = _changed(lambda _thread: None)
    assert old.encode() in data
    return data.replace(old.encode(), new.encode(), 1)


_LEGACY: _Document = {
    "id": "legacy",
    "metadata": {},
    "messages": [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "3"},
    ],
}

KNOWN: dict[str, tuple[bytes, str]] = {
    "good": (_changed(lambda _thread: None), ""),
    "tools_string": (_changed(lambda thread: thread.update(tools=json.dumps(TOOLS))), ""),
    "tools_empty_string": (_changed(lambda thread: thread.update(tools="")), ""),
    "tools_no_json": (_changed(lambda thread: thread.update(tools="[{")), "`tools` is a string"),
    "tools_object": (_changed(lambda thread: thread.update(tools={"f": 1})), "`tools` is no list"),
    "tools_mixed": (_changed(lambda thread: thread["tools"].append("get_time")), "number 3 of `tools` is a string"),
    "tools_mixed_string": (_changed(lambda thread: thread.update(tools='[{"function": 3}]')), "number 1 of `tools`"),
    "tools_parameters": (
        _changed(lambda thread: thread["tools"][0]["function"].update(parameters=[1])),
        "`parameters` of number 1",
    ),
    "alternatives_mixed": (_changed(lambda thread: thread["alternatives"].append(7)), "number 2 of `alternatives`"),
    "alternatives_message": (
        _changed(lambda thread: thread["alternatives"][0].update(messages=["x"])),
        "message 1 of alternative 1",
    ),
    "key_twice": (_replaced('"dataset":', '"dataset": "d", "dataset":'), "stands twice"),
    "key_twice_deep": (_replaced('"additionalProperties":', '"type": 1, "additionalProperties":'), "stands twice"),
    "key_twice_top": (_replaced('"messages":', '"id": "b", "messages":'), "stands twice"),
    "digits": (_replaced("0.7", "9" * 5000), "too many digits"),
    "large": (_replaced("0.7", "1e999"), "too large"),
    "nan": (_replaced("0.7", "NaN"), "NaN"),
    "whole": (_replaced("0.7", "9" * 100), ""),
    "precise": (_replaced("0.7", "0.70000000000000000001"), ""),
    "escaped": (json.dumps(base()).encode(), ""),
    "half_character": (_replaced("Two checks", "\\ud800 checks"), ""),
    "bom": (b"\xef\xbb\xbf" + _changed(lambda _thread: None), ""),
    "utf16": (json.dumps(base()).encode("utf-16"), "UTF-8"),
    "nested": (
        _replaced('"{\\"dataset_name\\": \\"uci_har\\"}"', '{"a": ' * 3000 + "1" + "}" * 3000),
        "nested too deeply",
    ),
    "nested_90": (_with_arguments(json.loads('{"a": ' * 90 + "1" + "}" * 90)), ""),
    "nested_text": (_with_arguments('{"a": ' * 3000 + "1" + "}" * 3000), ""),
    "nested_result": (
        _changed(lambda thread: thread["messages"][2].update(content="[" * 3000 + "]" * 3000)),
        "",
    ),
    "legacy": (json.dumps(_LEGACY).encode(), "older form with `function_call`"),
    "no_function": (_changed(lambda thread: _call(thread).update(function=None)), "no `function`"),
    "id_number": (_changed(lambda thread: _call(thread).update(id=7)), "`id` of a tool call of message 2"),
    "calls_of_user": (
        _changed(lambda thread: thread["messages"][0].update(tool_calls=[_call(thread)])),
        "message 1 calls a tool",
    ),
    "arguments_object": (_with_arguments({"dataset_name": "uci_har"}), ""),
    "arguments_list": (_with_arguments([1]), ""),
    "arguments_null": (_with_arguments(None), ""),
    "weight": (_changed(lambda thread: thread["messages"][1].update(weight=0)), ""),
    "metadata_odd": (
        _changed(lambda thread: thread["metadata"].update(tags=3, review="x", max_turns={}, branched_at="4", model=[])),
        "",
    ),
    "metadata_null": (_changed(lambda thread: thread.update(metadata=dict.fromkeys(thread["metadata"]))), ""),
    "many_messages": (
        _changed(lambda thread: thread.update(messages=[{"role": "user", "content": ""}] * 10_001)),
        "10001 messages are over the limit",
    ),
    "no_messages": (_changed(lambda thread: thread.update(messages=[])), ""),
    "v3": (b'{"thread_id": "a", "schema_version": "3.0", "conversation": []}', "older v3 thread"),
    "empty": (b"", "empty"),
    "half": (_changed(lambda _thread: None)[:700], "line"),
    "list": (b"[]", "a list"),
    "back\\slash": (_changed(lambda _thread: None), "cannot be a thread's id"),
}

_ODD: list[Any] = [None, True, 0, -1, 1.5, "", "x", "\u2028", "[", [], [None], {}, {"a": {}}, [[1]], "9" * 30, 10**30]


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, item in members for deeper in _paths(item, (*path, key)))]


def mutated(chance: random.Random, original: _Document | None = None) -> bytes:
    """A thread's file with something about it changed."""
    thread = copy.deepcopy(original or base())
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        *way, last = chance.choice(_paths(thread)[1:])
        holder: Any = thread
        for key in way:
            holder = holder[key]
        kind = chance.randrange(5)
        if kind == 0:
            del holder[last]
        elif kind == 1 and isinstance(holder, list):
            holder.insert(last, copy.deepcopy(chance.choice([*_ODD, holder[last]])))
        elif kind == 1:
            holder[chance.choice(("function_call", "weight", "train", "name", "content", "role", "stale"))] = (
                chance.choice(_ODD)
            )
        else:
            holder[last] = copy.deepcopy(chance.choice(_ODD))
    text = json.dumps(thread, indent=chance.choice((None, 2, 3)), ensure_ascii=chance.random() < 0.5)
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(chance.choice((0, 0, 0, 0, 1, 2))):
        at = chance.randrange(len(data))
        data[at : at + chance.choice((0, 1, 5))] = chance.choice((b"", b"\xff", b'"', b"}", b",", b"\\", b"1", b" "))
    return bytes(data)


def verdict(path: Path) -> str:
    """Why a file is no thread, as the one decoder says; empty when it is one."""
    try:
        decode(read_bytes(path), path.name)
    except ThreadError as error:
        return str(error)
    return ""


class Folder:
    """A workspace whose files are odd, and the commands run on it."""

    def __init__(self, root: Path, files: dict[str, bytes], capsys: pytest.CaptureFixture[str]) -> None:
        self.threads = root / "threads"
        self.threads.mkdir()
        for stem, data in files.items():
            (self.threads / f"{stem}.json").write_bytes(data)
        self.root, self._capsys = root, capsys
        self.refused = {stem: self.reason(stem) for stem in files}

    def reason(self, stem: str) -> str:
        return summarize(self.threads, stem).problem if "\\" in stem else verdict(self.threads / f"{stem}.json")

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Code, output and errors of a command. Raises whatever is no sentence for a person."""
        code = run_command([*arguments, "--workspace", str(self.root)])
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    def document(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json")[1])

    def bytes_of(self, stem: str) -> bytes:
        return (self.threads / f"{stem}.json").read_bytes()


@pytest.fixture(autouse=True)
def nothing_is_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENSORLOOM_TRACEBACK", "1")


def _agrees(folder: Folder) -> None:
    """Every command on the whole folder, then those for one thread on each file."""
    for _ in range(2):  # read, then from the index
        listed = {row["stem"]: row["problem"] for row in folder.document("list")}
        assert listed == folder.refused
    assert folder.document("stats")["unreadable"] == sum(map(bool, folder.refused.values()))
    checked = folder.document("check")["threads"]
    told = {row["stem"]: [find["sentence"] for find in row["findings"] if find["check"] == "file"] for row in checked}
    assert {stem: problems[0] for stem, problems in told.items() if problems} == {
        stem: reason for stem, reason in folder.refused.items() if reason
    }
    unreadable = folder.document("replay")["unreadable"]
    assert sorted(unreadable) == sorted(filter(None, folder.refused.values()))
    for profile in PROFILES:
        report = folder.document("export", "--all", "--profile", profile)
        refused = {
            row["stem"]: row["sentence"]
            for row in report["refusals"]
            if row["reason"] in ("not a valid thread", "older v3 thread")
        }
        assert refused == {stem: reason for stem, reason in folder.refused.items() if reason}, profile
        for file in report.get("files", ()):
            for line in Path(file["path"]).read_bytes().splitlines():
                json.loads(line, parse_constant=pytest.fail)
    folder.document("list", "--filter", "lint:any text:walking")
    for stem, reason in folder.refused.items():
        _agrees_on(folder, stem, reason)


def _agrees_on(folder: Folder, stem: str, reason: str) -> None:
    data = folder.bytes_of(stem)
    code, _, error = folder.run("show", stem)
    assert (code, error) == ((1, f"sensorloom: {reason}\n") if reason else (0, "")), stem
    folder.run("replay", stem)
    code, _, error = folder.run("edit", stem, "--message", "1", "--text", "Another question?", "--force")
    if reason:
        assert (code, error, folder.bytes_of(stem)) == (1, f"sensorloom: {reason}\n", data)
        assert folder.run("undo", stem)[0] == 1
    elif code == 0 and folder.bytes_of(stem) != data:
        assert folder.reason(stem) == ""
        assert folder.run("undo", stem)[0] == 0 and folder.bytes_of(stem) == data, stem
    else:
        assert error.count("\n") <= 1, error


@pytest.mark.parametrize("stem", KNOWN)
def test_a_known_odd_file_is_read_or_refused_with_its_reason(tmp_path: Path, stem: str):
    data, reason = KNOWN[stem]
    (tmp_path / f"{stem}.json").write_bytes(data)
    problem = summarize(tmp_path, stem).problem
    assert bool(problem) is bool(reason) and reason in problem, problem
    assert not problem or (problem.startswith(f"{stem}.json") and "\n" not in problem)


def test_every_command_agrees_on_the_known_odd_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    _agrees(Folder(tmp_path, {stem: data for stem, (data, _) in KNOWN.items()}, capsys))


@pytest.mark.timeout(3600 if FILES > 100 else 120)
def test_every_command_agrees_on_files_that_chance_makes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for start in range(0, FILES, 200):
        root = tmp_path / str(start)
        root.mkdir()
        seeds = range(start, min(start + 200, FILES))
        _agrees(Folder(root, {f"t{seed:05d}": mutated(random.Random(seed)) for seed in seeds}, capsys))


@pytest.mark.parametrize("part", range(5))
def test_the_quick_decoder_reads_what_the_careful_one_reads(part: int):
    quick = 0
    for seed in range(part * 400, part * 400 + 400):
        data = mutated(random.Random(seed))
        try:
            thread, line = decoded(data, "x")
        except ThreadError:
            continue
        if line:
            quick += 1
            careful = json.loads(data, object_pairs_hook=_pairs)
            assert json.dumps(thread.document) == json.dumps(careful) == json.dumps(json.loads(line))
    assert quick > 50


@pytest.mark.parametrize("part", range(5))
def test_a_skimmed_file_is_listed_as_the_thread_that_is_read(tmp_path: Path, part: int):
    plain = {key: value for key, value in base().items() if key != "alternatives"}
    files = [data for data, _ in KNOWN.values()]
    files += [mutated(random.Random(seed), plain) for seed in range(part * 400, part * 400 + 400)]
    for number, data in enumerate(files):
        (tmp_path / f"t{number}.json").write_bytes(data)
        assert summarize(tmp_path, f"t{number}") == look(tmp_path, f"t{number}").summary
    assert sum(skimmed(data, "t") is not None for data in files) > 20


def _pairs(pairs: list[tuple[str, Any]]) -> _Document:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_tools_that_are_a_string_leave_as_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = Folder(tmp_path, {"t": KNOWN["tools_string"][0]}, capsys)
    for profile in ("openai_v1", "hf"):
        [file] = folder.document("export", "--profile", profile)["files"]
        row = json.loads(Path(file["path"]).read_bytes())
        tools = json.loads(row["tools"]) if profile == "hf" else row["tools"]
        assert [tool["function"]["name"] for tool in tools] == ["show_channel_stats", "compute_spectrum"]
    assert json.loads(folder.bytes_of("t"))["tools"] == json.dumps(TOOLS)


def test_a_weight_of_0_keeps_a_turn_out_of_the_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = Folder(tmp_path, {"t": KNOWN["weight"][0], "good": KNOWN["good"][0]}, capsys)
    assert [row["stem"] for row in folder.document("list", "--filter", "has:untrained")] == ["t"]
    assert "[out of the loss]" in folder.run("show", "t")[1]
    [file] = folder.document("export", "--profile", "hf", "--filter", "has:untrained")["files"]
    row = json.loads(Path(file["path"]).read_bytes())
    assert [message["train"] for message in row["messages"] if message["role"] == "assistant"] == [False, True]
    assert folder.run("loss", "in", "t", "--turn", "1")[0] == 0
    assert "[out of the loss]" not in folder.run("show", "t")[1]
