"""What a person sets for an endpoint that nobody may see: headers, and further keys of requests like `api_key`.

A value may name environment variables, and is written nowhere else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from core.errors import ModelError, UsageError
from core.settings_tables import VARIABLE, is_spelled_out, secret_texts, variables_in, with_secrets


def headers_for(
    endpoint: str, headers: Mapping[str, str] | None, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The headers of the endpoint of that name with the values of the variables that they name.

    Raises:
        ModelError: a variable is not set, or a header is none that can be sent.
    """
    told = {name: _filled(endpoint, "a header", value, environ) for name, value in (headers or {}).items()}
    for name, value in told.items():
        if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII) or not (value.isascii() and value.isprintable()):
            raise ModelError(f"{endpoint}: the header {name[:40]!r} is none that can be sent", for_all=True)
    return told


def body_for(
    endpoint: str, extra: Mapping[str, Any] | None, environ: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The further keys of a request, those like `api_key` with the values of the variables that they name.

    Raises:
        ModelError: a variable is not set.
    """
    return with_secrets(
        dict(extra or {}), lambda name, text: _filled(endpoint, f"`{name}` of extra_body", text, environ)
    )


def _filled(endpoint: str, where: str, value: str, environ: Mapping[str, str] | None) -> str:
    env = os.environ if environ is None else environ

    def value_of(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if not env.get(name):
            raise ModelError(f"{endpoint}: {where} names ${name}, which is not set; set it", for_all=True)
        return env[name]

    return VARIABLE.sub(value_of, value)


def may_be_written(options: Mapping[str, Any]) -> dict[str, Any]:
    """Values of `ServingSettings` as a batch or an evaluation keeps them: without headers, and without what holds a
    secret that no variable stands for. Both stand in the settings still, when it is gone on with."""
    told = {name: value for name, value in options.items() if name != "headers"}
    if extra := told.pop("extra_body", None):
        written = {name: value for name, value in extra.items() if not _spelled_out({name: value})}
        told |= {"extra_body": written} if written else {}
    return told


def refuse_spelled_out(extra: Mapping[str, Any] | None) -> None:
    """Raise UsageError for further keys that spell a secret out: what is typed is kept for whoever goes on with it."""
    if name := _spelled_out(extra):
        raise UsageError(
            f"extra body: `{name}` is a secret, and what is typed is kept by batches and evaluations; write "
            f'"${{NAME}}" there and nothing beside it, and set that variable'
        )


def _spelled_out(extra: Mapping[str, Any] | None) -> str:
    return next((name for name, value in secret_texts(extra) if is_spelled_out(value)), "")


_SECRET = re.compile("auth|key|token|secret|cookie|password", re.IGNORECASE)


def secrets_in(
    headers: Mapping[str, str] | None, extra: Mapping[str, Any] | None, environ: Mapping[str, str] | None = None
) -> list[str]:
    """What nobody may see of headers and further keys: the values of variables, and what is called a key."""
    env = os.environ if environ is None else environ
    secrets: list[str] = []
    for _, value in secret_texts(extra):
        sent = VARIABLE.sub(lambda match: env.get(match[1] or match[2], ""), value)
        secrets += [sent, value, *(env.get(variable, "") for variable in variables_in(value))]
    for name, value in (headers or {}).items():
        secrets += [env.get(variable, "") for variable in variables_in(value)]
        if _SECRET.search(name):
            secrets += value.split()
    return secrets
