"""Where models answer: endpoints from the settings, the environment and the usual local ports.

An endpoint holds the name of the variable that has its key, never the key itself, so that nothing that
prints, stores or compares endpoints can give one away.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from core.errors import ModelError, UsageError
from core.settings import BUILTIN_NAME, ModelSettings
from core.text import one_line
from core.workspace import Workspace

BUILTIN_MODEL = "builtin-analyst"
"""What threads made by the built-in analyst say in `metadata.model`."""

OPENAI_URL = "https://api.openai.com/v1"

LOCAL_SERVERS = {"vLLM": 8000, "SGLang": 30000, "llama.cpp": 8080, "Ollama": 11434, "LM Studio": 1234}
"""The servers' own default ports on this machine."""

PROBE_TIMEOUT_SEC = 0.7
"""How long a local port may take to list its models; a remote endpoint gets ten times as long."""

NO_KEY = "none"
"""Sent where an endpoint has no key: local servers want none, and the client wants something."""

MIN_KEY = 8
"""Characters of the shortest key that is looked for in what a server sends."""

_LOCAL_HOSTS = ("//127.0.0.1", "//localhost", "//[::1]", "//0.0.0.0")
_NOT_CHAT = ("embed", "rerank", "whisper", "tts", "moderation", "dall-e", "transcribe", "bge-")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that speaks Chat Completions, or the built-in analyst (`base_url` empty)."""

    name: str
    base_url: str = ""
    model: str = ""
    """The model to ask; the server's first when empty."""
    api_key_env: str = ""

    @property
    def builtin(self) -> bool:
        """Whether this is the analyst that comes with the program."""
        return not self.base_url

    @property
    def local(self) -> bool:
        """Whether it is on this machine, where no proxy is asked."""
        return self.builtin or any(host in self.base_url for host in _LOCAL_HOSTS)

    def api_key(self, environ: Mapping[str, str] | None = None) -> str:
        """Its key from the environment; local servers want none and get a placeholder."""
        env = os.environ if environ is None else environ
        return (env.get(self.api_key_env, "") if self.api_key_env else "").strip() or NO_KEY

    def without_key(self, text: str, environ: Mapping[str, str] | None = None) -> str:
        """Text of this endpoint with its key blanked, should the server have repeated it."""
        key = self.api_key(environ)
        return text.replace(key, "[key]") if len(key) >= MIN_KEY else text

    def is_environments(self, environ: Mapping[str, str] | None = None) -> bool:
        """Whether it is the one that the variables `OPENAI_…` describe: what else they say goes nowhere else."""
        env = os.environ if environ is None else environ
        url = (env.get("OPENAI_BASE_URL") or OPENAI_URL).rstrip("/")
        return self.api_key_env == "OPENAI_API_KEY" and self.base_url == url


BUILTIN = Endpoint(BUILTIN_NAME, model=BUILTIN_MODEL)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What turns are made with: an endpoint, one of its models, and how it samples."""

    endpoint: Endpoint = BUILTIN
    model: str = ""
    """The model to ask; the endpoint's own, or else its server's first, when empty."""
    settings: ModelSettings = field(default_factory=ModelSettings)


@dataclass(frozen=True, slots=True)
class Listing:
    """What an endpoint answered when asked for its models."""

    endpoint: Endpoint
    models: tuple[str, ...] = ()
    problem: str = ""
    """One sentence when it could not be listed."""


def configured(workspace: Workspace, environ: Mapping[str, str] | None = None) -> tuple[Endpoint, ...]:
    """The endpoints a person named: `[[endpoints]]` first, then the environment's; the built-in analyst last."""
    env = os.environ if environ is None else environ
    servers = [
        Endpoint(row.name, row.base_url.rstrip("/"), row.model, row.api_key_env) for row in workspace.settings.endpoints
    ]
    if env.get("OPENAI_BASE_URL") or env.get("OPENAI_API_KEY"):
        url = (env.get("OPENAI_BASE_URL") or OPENAI_URL).rstrip("/")
        servers.append(Endpoint("openai", url, env.get("OPENAI_MODEL", ""), "OPENAI_API_KEY"))
    return (*servers, BUILTIN)


def choose(
    workspace: Workspace,
    endpoint: str = "",
    model: str = "",
    environ: Mapping[str, str] | None = None,
    **sampling: Any,
) -> ModelChoice:
    """What a run uses: the named endpoint, else the one that the settings name, else the first that is configured.

    Args:
        workspace: whose settings count.
        endpoint: an endpoint's name, `builtin`, or a URL.
        model: a model of that endpoint.
        environ: the process's environment unless told.
        sampling: values of `ModelSettings` that replace the settings' own; None leaves them.

    Raises:
        UsageError: there is no endpoint of that name, or its address is no URL.
    """
    import msgspec

    known = configured(workspace, environ)
    name = endpoint or workspace.settings.model.endpoint
    if name.startswith(("http://", "https://")):
        url = name.rstrip("/")
        # a key goes only to the endpoint it was set for
        chosen = next((server for server in known if server.base_url == url), Endpoint(_named_by(url), url))
    elif name:
        named = [server for server in known if server.name == name]
        if not named:
            raise UsageError(
                f"there is no endpoint {name!r}; known: {', '.join(server.name for server in known)} "
                "(add more as [[endpoints]] in sensorloom.toml, or give a URL)"
            )
        chosen = named[0]
    else:
        chosen = known[0]
    _refuse_address(chosen)
    if chosen.builtin and model not in ("", BUILTIN_MODEL):
        raise UsageError(
            f"the built-in analyst has no model {model!r}; name an endpoint that serves it with --endpoint"
        )
    replaced = {key: value for key, value in sampling.items() if value is not None}
    settings = msgspec.structs.replace(workspace.settings.model, **replaced)
    for field_name in ("temperature", "timeout_sec"):
        if not math.isfinite(getattr(settings, field_name) or 0.0):
            raise UsageError(f"{field_name} is {getattr(settings, field_name)}; give a number that can be used")
    return ModelChoice(chosen, model, settings)


def _named_by(url: str) -> str:
    """An address as a name: threads and messages hold it, so no password and no key of the address stands in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.partition("://")[0]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _refuse_address(endpoint: Endpoint) -> None:
    """Raise UsageError for an address that nothing can be asked at."""
    url = endpoint.base_url
    try:
        whole = endpoint.builtin or (
            url.startswith(("http://", "https://"))
            and url.isprintable()
            and " " not in url
            and bool(urlsplit(url).hostname)
            and urlsplit(url).port != 0
        )
    except ValueError:
        whole = False
    if not whole:
        source = "OPENAI_BASE_URL" if endpoint.api_key_env == "OPENAI_API_KEY" else "base_url in sensorloom.toml"
        raise UsageError(
            f"the address of endpoint {one_line(endpoint.name)} is {url!r}; write it as http://host:port/v1 ({source})"
        )


def local_candidates(known: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """The usual servers on this machine that are not configured already."""
    local = [server for server in known if server.local and not server.builtin]
    ports = {server.base_url.removesuffix("/v1").rpartition(":")[2] for server in local}
    return tuple(
        Endpoint(name, f"http://127.0.0.1:{port}/v1") for name, port in LOCAL_SERVERS.items() if str(port) not in ports
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
        _refuse_address(endpoint)
    except UsageError as error:
        return Listing(endpoint, problem=str(error))
    headers = {"Authorization": f"Bearer {endpoint.api_key(environ)}"}
    try:
        async with asyncio.timeout(timeout_sec), httpx2.AsyncClient(trust_env=not endpoint.local) as client:
            answer = await client.get(f"{endpoint.base_url}/models", headers=headers)
        if answer.status_code != 200:
            return Listing(endpoint, problem=f"{endpoint.name} answered {answer.status_code} when asked for its models")
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


async def first_model(endpoint: Endpoint, *, timeout_sec: float, environ: Mapping[str, str] | None = None) -> str:
    """The model to ask where nobody named one.

    Raises:
        ModelError: the endpoint cannot be asked, serves none, or is one where the choice costs money.
    """
    if endpoint.builtin or endpoint.model:
        return endpoint.model or BUILTIN_MODEL
    if endpoint.base_url.startswith(OPENAI_URL):
        raise ModelError(f"{endpoint.name} has many models; name one with --model, ctrl+o or OPENAI_MODEL")
    listing = await list_models(endpoint, timeout_sec=timeout_sec, environ=environ)
    chat = [name for name in listing.models if not any(part in name.lower() for part in _NOT_CHAT)]
    if listing.problem:
        raise ModelError(f"{listing.problem}; check that it runs and its address, or name a model with --model")
    if not chat:
        raise ModelError(f"{endpoint.name} serves no chat model; name one with --model")
    return chat[0]


def _names(answer: Any) -> tuple[str, ...]:
    rows = answer.get("data", answer.get("models")) if isinstance(answer, dict) else answer
    if not isinstance(rows, list):
        raise ValueError("no list of models")
    names = [row.get("id") or row.get("name") if isinstance(row, dict) else row for row in rows]
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))
