"""What the path of a file tells, by a template such as `a{label}/p{subject}/s*.txt`.

A template is the end of a path. `*` is anything within a part of it, `#` a number, `{label}`, `{subject}`, `{sensor}`
and `{position}` (on the body) what they say, of a few words where those stand behind a colon: `{sensor:acc|gyr}`. What
stands twice is the same in both. Files whose paths differ in sensor, position and `{other}` alone are one recording.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from core.errors import UsageError

_FIELDS = ("label", "subject", "sensor", "position")
_OF_ONE_RECORDING = ("sensor", "position", "other")
_PIECE = re.compile(r"\{(\w+)(?::([^{}]*))?\}|\*|#")
MOST_PIECES = 8
"""So many pieces of a name may be anything: what more of them could match takes for ever to find out."""
_REST = re.compile(r"[{}]")


@dataclass(frozen=True, slots=True)
class PathFacts:
    """What a file's path tells."""

    recording: str
    """Which recording it is part of: the path without sensor, position and ending."""
    label: str = ""
    subject: str = ""
    sensor: str = ""
    position: str = ""


def path_facts(name: str, templates: Sequence[str]) -> PathFacts | None:
    """What a path tells by the first template that it fits; None where it fits none. Raises UsageError: a template is
    none."""
    for template in templates:
        pattern = _compiled(template)
        starts = [0, *(slash.end() for slash in re.finditer("/", name))]
        match = next((match for start in reversed(starts) if (match := pattern.fullmatch(name, start))), None)
        if match:
            told = {field: match[field] for field in _FIELDS if field in pattern.groupindex}
            return PathFacts(_recording(name, match), **told)
    return None


def fields_in(templates: Sequence[str]) -> set[str]:
    """What paths tell: `label`, `subject`, `sensor` and `position`."""
    return {field for template in templates for field in _FIELDS if field in _compiled(template).groupindex}


def _recording(name: str, match: re.Match[str]) -> str:
    rest, at = "", 0
    cut = [match.span(group) for group in match.re.groupindex if group.partition("_")[0] in _OF_ONE_RECORDING]
    for start, end in sorted(cut):
        rest, at = rest + name[at:start], end
    rest += name[at:]
    folder, _, file = rest.rpartition("/")
    stem = re.sub(r"[_\-. ]+", "_", file.rpartition(".")[0]).strip("_") if cut else file.rpartition(".")[0]
    return "/".join(filter(None, (folder, stem))) or "recording"


@cache
def _compiled(template: str) -> re.Pattern[str]:
    if any(len(_PIECE.findall(part)) > MOST_PIECES for part in template.split("/")):
        raise UsageError(f"{template[:80]}: at most {MOST_PIECES} `*`, `#` and words in braces can stand in a name")
    pattern, at = "", 0
    seen: dict[str, int] = {}
    for piece in _PIECE.finditer(template):
        between, at = template[at : piece.start()], piece.end()
        _refuse_braces(between, template)
        pattern += re.escape(between)
        field = piece[1]
        if field is None:
            pattern += r"[^/]*?" if piece[0] == "*" else r"\d+"
            continue
        if field not in (*_FIELDS, "other"):
            raise UsageError(f"{template}: there is no {{{field}}}; there are {', '.join((*_FIELDS, 'other'))}")
        seen[field] = seen.get(field, 0) + 1
        words = "|".join(map(re.escape, piece[2].split("|"))) if piece[2] else r"[^/]+?"
        pattern += f"(?P<{field}>{words})" if seen[field] == 1 else f"(?P<{field}_{seen[field]}>(?P={field}))"
    _refuse_braces(template[at:], template)
    return re.compile(pattern + re.escape(template[at:]), re.IGNORECASE)


def _refuse_braces(text: str, template: str) -> None:
    if _REST.search(text):
        raise UsageError(f"{template}: a brace stands alone; write {{label}}, {{subject}}, {{sensor}} or {{position}}")
