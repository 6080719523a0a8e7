"""Headers that a person sets for an endpoint. A value may name environment variables, and is written nowhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from core.errors import ModelError
from core.settings_tables import VARIABLE, variables_in


def headers_for(
    endpoint: str, headers: Mapping[str, str] | None, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The headers of the endpoint of that name with the values of the variables that they name.

    Raises:
        ModelError: a variable is not set, or a header is none that can be sent.
    """
    env = os.environ if environ is None else environ

    def value_of(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if not env.get(name):
            raise ModelError(f"{endpoint}: a header names ${name}, which is not set; set it", for_all=True)
        return env[name]

    told = {name: VARIABLE.sub(value_of, value) for name, value in (headers or {}).items()}
    for name, value in told.items():
        if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII) or not (value.isascii() and value.isprintable()):
            raise ModelError(f"{endpoint}: the header {name[:40]!r} is none that can be sent", for_all=True)
    return told


_SECRET = re.compile("auth|key|token|secret|cookie|password", re.IGNORECASE)


def secrets_in(headers: Mapping[str, str] | None, environ: Mapping[str, str] | None = None) -> list[str]:
    """What nobody may see of the headers: the values of variables, and those of headers that are called a key."""
    env = os.environ if environ is None else environ
    secrets: list[str] = []
    for name, value in (headers or {}).items():
        secrets += [env.get(variable, "") for variable in variables_in(value)]
        if _SECRET.search(name):
            secrets += value.split()
    return secrets
