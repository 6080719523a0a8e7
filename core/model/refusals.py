"""What a server would not be asked: a parameter that its refusal names is left out from then on.

One rule for all of them. Servers refuse what they do not know with a 400 or 422 whose words, or whose `param`, name it.
A value out of a parameter's range names it too, and is no refusal of the parameter: that one is told, and not left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.text import one_line

NEEDED = ("model", "messages", "stream", "tools")
"""What nothing can be asked without."""

ROLES = ("system", "developer", "user")
"""As whom instructions are given, in the order in which they are tried."""

_WORD = r"(?<![\w.\-]){}(?![\w\-])"
_OUT_OF_RANGE = re.compile(
    r"must be|should be|less than|greater than|at (most|least)|between|too (large|high|low|small|long)|out of range"
    r"|exceed|maximum|minimum"
)
_REFUSED = re.compile(
    r"unsupported|(not|n't|no longer) support|unknown|unrecogni[sz]ed"
    r"|not (permitted|allowed|accepted|implemented|available|known)|extra (inputs|fields)|unexpected"
    r"|invalid (parameter|argument|field|key|property)|only the default|does not exist|deprecated"
    r"|cannot be used|instead"
)
_ROLE = re.compile(
    r"\b(system|developer)\b[^.]{0,40}\b(role|messages?|prompt|instructions?)\b"
    r"|\broles?\b[^.]{0,60}\b(system|developer)\b"
    r"|conversation roles must alternate|(first|only) message must be .{0,10}user"
)
_PARSER = re.compile(r"tool-call-parser|--jinja")


@dataclass(frozen=True, slots=True)
class Dropped:
    """The server refused a parameter: it is asked once more without it, and so from now on."""

    run: str
    name: str
    """The parameter, or `role system`, of the instructions."""
    sentence: str


class Refusals:
    """Which parameters each model of one endpoint is asked without. These are forgotten with the program."""

    def __init__(self) -> None:
        self._known: dict[str, frozenset[str]] = {}

    def of(self, model: str) -> frozenset[str]:
        """What a model is asked without."""
        return self._known.get(model, frozenset())

    def add(self, model: str, names: Iterable[str]) -> None:
        """Ask a model without these too."""
        self._known[model] = self.of(model) | {*names}


def refused_name(status: object, words: str, param: object, body: Mapping[str, Any], role: str) -> str:
    """Which part of a request a server's refusal names; empty where it names none that can be left out.

    Args:
        status: of the answer.
        words: the server's.
        param: what its error names as `param`, if anything.
        body: what was asked.
        role: as whom the instructions were given.
    """
    lower = words.lower()
    if role in ("system", "developer") and status in (400, 422, 500) and _ROLE.search(lower):
        return f"role {role}"
    if status not in (400, 422) or _PARSER.search(lower):
        return ""
    names = sorted((name for name in body if name not in NEEDED), key=len, reverse=True)
    refuses = _REFUSED.search(lower)
    if isinstance(param, str) and param.partition(".")[0] in names and (refuses or not _OUT_OF_RANGE.search(lower)):
        return param.partition(".")[0]
    if _OUT_OF_RANGE.search(lower) and not refuses:
        return ""
    # a plain word such as `stop` or `seed` may stand in any sentence
    plain = (name for name in names if refuses or "_" in name)
    return next((name for name in plain if re.search(_WORD.format(re.escape(name.lower())), lower)), "")


def role_for(wanted: str, refused: frozenset[str]) -> str:
    """As whom the instructions are given: as wanted, or as the next that the server was not known to refuse."""
    if wanted == "none":
        return wanted
    return next((role for role in ROLES[ROLES.index(wanted) :] if f"role {role}" not in refused), "user")


def dropped_sentence(endpoint: str, name: str, words: str) -> str:
    """What a person is told of it."""
    told = f" ({one_line(words, 120)})" if words else ""
    role = name.partition("role ")[2]
    if role:
        way = f"instructions are given as the {role_for('system', _up_to(role))}'s"
    elif name == "max_tokens":
        way = "`max_completion_tokens` is sent instead"
    else:
        way = "it is left out"
    what = f"the role `{role}`" if role else f"`{name}`"
    return f"{endpoint} refuses {what}{told}: {way} from now on (`sensorloom endpoints forget` takes that back)"


def _up_to(role: str) -> frozenset[str]:
    return frozenset(f"role {other}" for other in ROLES[: ROLES.index(role) + 1])


def with_instructions_as(messages: Sequence[Mapping[str, Any]], role: str) -> list[Mapping[str, Any]]:
    """The messages with the instructions that lead them given as somebody else, or left out."""
    if role == "system" or not messages or messages[0].get("role") != "system":
        return list(messages)
    first, *rest = messages
    if role == "none":
        return rest
    if role == "developer":
        return [{**first, "role": "developer"}, *rest]
    if rest and rest[0].get("role") == "user":  # many templates refuse two of a user's in a row
        return [{**rest[0], "content": f"{first['content']}\n\n{rest[0]['content']}"}, *rest[1:]]
    return [{**first, "role": "user"}, *rest]
