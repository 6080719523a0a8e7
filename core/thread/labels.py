"""Comparing activity labels as people write them."""

from __future__ import annotations

import re
from functools import lru_cache

SYNONYMS: tuple[frozenset[str], ...] = tuple(
    frozenset(names.split())
    for names in (
        "laying lying lyingdown layingdown liedown",
        "sitting sit seated sittingdown",
        "standing stand standingstill standingup stood",
        "walking walk walkinglevel",
        "walkingupstairs ascendingstairs upstairs climbingstairs stairsup walkupstairs climbstairs",
        "walkingdownstairs descendingstairs downstairs stairsdown walkdownstairs",
        "running run",
        "jogging jog",
        "cycling bicycling biking cycle ridingabike ridingabicycle",
        "nordicwalking nordicwalk",
        "ropejumping jumprope ropejump skippingrope",
        "vacuumcleaning vacuuming hoovering",
        "ironing iron",
        "stairs takingstairs",
    )
)
"""Names for one activity in the four datasets' own files and in what models answer, as compared.

Each set holds what `_key` makes of a name. Sets are kept apart where a dataset tells two activities apart
(jogging and running are two labels of MHEALTH)."""

_OPEN = "cannotbetold"
"""What is compared of an answer that names no label: see `core.thread.open_answer`."""
_CANONICAL = {name: min(names) for names in SYNONYMS for name in names}


@lru_cache(maxsize=4096)
def _key(label: str) -> str:
    plain = re.sub(r"[\s_\-/]+", "", label.casefold())
    if plain.startswith(_OPEN):
        return _OPEN  # whichever labels it leaves
    return _CANONICAL.get(plain, plain)


def same_label(answer: str, truth: str) -> bool:
    """Whether two labels name one activity; case, spaces, `_` and `-` don't count, synonyms do."""
    return bool(_key(answer)) and _key(answer) == _key(truth)


def canonical(label: str) -> str:
    """A form in which equal labels are equal strings, for grouping and lookups; not for showing."""
    return _key(label)
