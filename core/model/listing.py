"""Which models there are to ask: those of every configured endpoint, and of the usual local ports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import ModelError, UsageError
from core.model.endpoints import BUILTIN_MODEL, OPENAI_URL, Endpoint, configured, refuse_address
from core.model.headers import headers_for
from core.text import one_line
from core.workspace import Workspace

LOCAL_SERVERS = {"vLLM": 8000, "SGLang": 30000, "llama.cpp": 8080, "Ollama": 11434, "LM Studio": 1234}
"""The servers' own default ports on this machine."""

LOCAL_OPTIONS: Mapping[str, Mapping[str, Any]] = {"llama.cpp": {"extra_body": {"return_progress": True}}}
"""What is asked of one of these beside: llama.cpp tells how far it has read a prompt."""

PROBE_TIMEOUT_SEC = 0.7
"""How long a local port may take to list its models; a remote endpoint gets ten times as long."""

_NOT_CHAT = ("embed", "rerank", "whisper", "tts", "moderation", "dall-e", "transcribe", "bge-")


@dataclass(frozen=True, slots=True)
class Listing:
    """What an endpoint answered when asked for its models."""

    endpoint: Endpoint
    models: tuple[str, ...] = ()
    problem: str = ""
    """One sentence when it could not be listed."""
    wants_key: bool = False
    """Whether that is for the sake of its key."""


def local_candidates(known: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """The usual servers on this machine that are not configured already."""
    local = [server for server in known if server.local and not server.builtin]
    ports = {server.base_url.removesuffix("/v1").rpartition(":")[2] for server in local}
    return tuple(
        Endpoint(name, f"http://127.0.0.1:{port}/v1", options=LOCAL_OPTIONS.get(name, {}))
        for name, port in LOCAL_SERVERS.items()
        if str(port) not in ports
    )


async def list_everything(
    workspace: Workspace, environ: Mapping[str, str] | None = None, local: Sequence[Endpoint] | None = None
) -> tuple[Listing, ...]:
    """The models of every configured endpoint and of the local servers that answer, all asked at once.

    A configured endpoint that does not answer is listed with the reason; a local port nobody listens on is left out.
    """
    known = configured(workspace, environ)
    nearby = local_candidates(known) if local is None else local
    requests = [list_models(server, timeout_sec=PROBE_TIMEOUT_SEC * 10, environ=environ) for server in known]
    requests += [list_models(server, timeout_sec=PROBE_TIMEOUT_SEC, environ=environ) for server in nearby]
    listings = await asyncio.gather(*requests)
    return (*listings[: len(known)], *(listing for listing in listings[len(known) :] if listing.models))


async def list_models(
    endpoint: Endpoint, *, timeout_sec: float = PROBE_TIMEOUT_SEC, environ: Mapping[str, str] | None = None
) -> Listing:
    """Ask one endpoint's `/models`. Never raises: what went wrong is in the listing."""
    if endpoint.builtin:
        return Listing(endpoint, (BUILTIN_MODEL,))
    import httpx2

    try:
        refuse_address(endpoint)
    except UsageError as error:
        return Listing(endpoint, problem=str(error))
    try:
        own = headers_for(endpoint.name, endpoint.headers, environ)
    except ModelError as error:
        return Listing(endpoint, problem=str(error))
    headers = {"Authorization": f"Bearer {endpoint.api_key(environ)}", **own}
    try:
        async with asyncio.timeout(timeout_sec), httpx2.AsyncClient(trust_env=not endpoint.local) as client:
            answer = await client.get(f"{endpoint.base_url}/models", headers=headers)
        if answer.status_code != 200:
            return Listing(
                endpoint, problem=_not_listed(endpoint, answer.status_code), wants_key=answer.status_code in (401, 403)
            )
        models = _names(answer.json())
    except (TimeoutError, httpx2.TimeoutException):
        return Listing(endpoint, problem=f"{endpoint.name} did not answer within {timeout_sec:g} s")
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        reason = one_line(endpoint.without_key(str(error), environ), 120)
        return Listing(endpoint, problem=f"{endpoint.name} cannot be reached at {endpoint.base_url}: {reason}")
    except UnicodeEncodeError:
        return Listing(
            endpoint, problem=f"{endpoint.name}: the key in ${endpoint.api_key_env} is none that can be sent"
        )
    except ValueError:
        return Listing(endpoint, problem=f"{endpoint.name} did not answer with JSON; does its URL end in /v1?")
    return Listing(endpoint, models, "" if models else f"{endpoint.name} serves no models")


def _not_listed(endpoint: Endpoint, status: int) -> str:
    """Why an endpoint did not list its models. Where that is for the sake of its key, the key's variable is named."""
    told = f"{endpoint.name} answered {status} when asked for its models"
    if status not in (401, 403):
        return told
    if not endpoint.api_key_env:
        return f"{told}: it wants a key; name the variable that holds it as api_key_env of this endpoint"
    return f"{told}: set ${endpoint.api_key_env} to a key that may use it"


async def first_model(endpoint: Endpoint, *, timeout_sec: float, environ: Mapping[str, str] | None = None) -> str:
    """The model to ask where nobody named one.

    Raises:
        ModelError: the endpoint cannot be asked, serves none, or is one where the choice costs money.
    """
    if endpoint.builtin or endpoint.model:
        return endpoint.model or BUILTIN_MODEL
    if endpoint.base_url.startswith(OPENAI_URL):
        raise ModelError(
            f"{endpoint.name} has many models; name one with --model, ctrl+o or OPENAI_MODEL", for_all=True
        )
    listing = await list_models(endpoint, timeout_sec=timeout_sec, environ=environ)
    chat = [name for name in listing.models if not any(part in name.lower() for part in _NOT_CHAT)]
    if listing.problem:
        way = "" if listing.wants_key else "check that it runs and its address, or "
        raise ModelError(f"{listing.problem}; {way}name a model with --model", for_all=True)
    if not chat:
        raise ModelError(f"{endpoint.name} serves no chat model; name one with --model", for_all=True)
    return chat[0]


def _names(answer: Any) -> tuple[str, ...]:
    rows = answer.get("data", answer.get("models")) if isinstance(answer, dict) else answer
    if not isinstance(rows, list):
        raise ValueError("no list of models")
    names = [row.get("id") or row.get("name") if isinstance(row, dict) else row for row in rows]
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))
