"""docs/architecture.md is true: its picture is what the modules import, and its walks name what there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.pictures.rooms import PAGE, drawn, page_with, room_imports, room_of

TEXT = PAGE.read_text()
WALKS = re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", TEXT, re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"\[`([\w.]+)`\]\(\.\./([\w/]+\.py)\)")


def names_in(path: Path) -> set[str]:
    """What a file defines: functions, classes and their methods, and constants."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef))
            names |= {f"{node.name}.{method.name}" for method in methods}
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def test_the_picture_is_of_today():
    assert page_with(drawn()) == TEXT, "`make rooms` draws it anew"


def test_every_room_has_its_paragraph():
    described = set(re.findall(r"^\*\*`([\w/]+)`\*\*", TEXT, re.MULTILINE))
    assert described == set(room_imports()) - {"core", "tui"}


def test_every_room_says_in_two_sentences_what_lives_there_and_what_may_not():
    for room in set(room_imports()) - {"core", "tui"}:
        about = ast.get_docstring(ast.parse((PAGE.parents[1] / room / "__init__.py").read_text())) or ""
        assert len(re.findall(r"\.(?:\s|$)", about)) >= 2, room


@pytest.mark.parametrize(("walk", "steps"), WALKS, ids=[walk for walk, _ in WALKS])
def test_a_walk_names_functions_that_exist_and_all_its_rooms(walk: str, steps: str):
    named = NAMED.findall(steps)
    assert named and len(named) == len(re.findall(r"\]\(", steps))
    told = re.search(r"^Rooms: (.+)\.$", steps, re.MULTILINE)
    for name, file in named:
        assert name in names_in(PAGE.parents[1] / file), f"{walk}: {file} has no {name}"
    rooms = list(dict.fromkeys(room_of(file.removesuffix(".py").replace("/", ".")) for _, file in named))
    assert told and re.findall(r"`(.+?)`", told[1]) == rooms
    assert len(rooms[1:]) <= (6 if walk.startswith("An outside edit") else 4), rooms


def test_there_are_five_walks():
    assert len(WALKS) == 5
