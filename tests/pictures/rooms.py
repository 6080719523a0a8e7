"""The picture of the rooms in `docs/architecture.md`, drawn from what the modules really import: `make rooms`.

An arrow is an import. Where a room also comes there by way of another one, the arrow is left out, so that the floors
can be seen; `lint-imports` knows them all.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import grimp

PAGE = Path(__file__).parents[2] / "docs/architecture.md"
BEGIN, END = "<!-- drawn by make rooms -->\n", "<!-- up to here -->"
PARTS = ("tui", "core", "tools")

LOOSE = ("core", "tui")
"""Modules beside the rooms (settings, errors, keys …), which are not drawn."""

Imports = Mapping[str, set[str]]


def room_of(module: str) -> str:
    """`core/thread` for a module of it; `core` for one beside the rooms; `tools` for all of its modules."""
    part, _, rest = module.partition(".")
    room, _, inside = rest.partition(".")
    folder = Path(__file__).parents[2] / part / room
    return f"{part}/{room}" if part != "tools" and room and (inside or folder.is_dir()) else part


def room_imports() -> Imports:
    """Each room, with those it imports from."""
    graph = grimp.build_graph(*PARTS, cache_dir=None)
    imports: dict[str, set[str]] = defaultdict(set)
    for module in graph.modules - {"core", "tui"}:  # the public face and the name of the package are no rooms
        imports[room_of(module)].update(map(room_of, graph.find_modules_directly_imported_by(module)))
    return {room: others - {room} for room, others in sorted(imports.items())}


def without_detours(imports: Imports) -> Imports:
    """The same without what is reached by way of another room anyway (the transitive reduction)."""
    arrows = {room: set(others) for room, others in imports.items()}
    for room in arrows:
        for other in sorted(arrows[room]):
            if _reaches(arrows, room, other):
                arrows[room].discard(other)
    return arrows


def _reaches(arrows: Imports, start: str, goal: str) -> bool:
    """Whether there is a way from one room to another beside the arrow between them."""
    waiting, seen = [other for other in arrows[start] if other != goal], {start}
    while waiting:
        room = waiting.pop()
        if room == goal:
            return True
        if room not in seen:
            seen.add(room)
            waiting += arrows.get(room, ())
    return False


def drawn() -> str:
    """The picture, as Mermaid."""
    arrows = without_detours({room: others for room, others in room_imports().items() if room not in LOOSE})
    lines = ["```mermaid", "flowchart TB"]
    for part in PARTS:
        rooms = [room for room in arrows if room.split("/")[0] == part]
        if part == "tools":
            lines.append('  tools(["tools"])')
            continue
        lines.append(f'  subgraph {part}_rooms["{part}"]')
        lines += [f'    {_node(room)}["{room.split("/")[1]}"]' for room in rooms]
        lines.append("  end")
    lines += [
        f"  {_node(room)} --> {_node(other)}"
        for room, others in arrows.items()
        for other in sorted(others)
        if other not in LOOSE
    ]
    return "\n".join([*lines, "```", ""])


def _node(room: str) -> str:
    return room.replace("/", "_")


def page_with(picture: str) -> str:
    """The page with this picture in its place."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    return before + BEGIN + picture + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page_with(drawn()))
    sys.stdout.write(f"{PAGE.name} shows the rooms as they are\n")
