"""Where models answer: endpoints from the settings, the environment and the usual local ports.

An endpoint holds the name of the variable that has its key, never the key itself, so that nothing that
prints, stores or compares endpoints can give one away.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from core.errors import UsageError
from core.model.headers import secrets_in
from core.model.options import OPTIONS, with_options
from core.settings import BUILTIN_MODEL, BUILTIN_NAME
from core.settings_tables import EndpointSettings, ModelSettings
from core.text import one_line
from core.workspace import Workspace

OPENAI_URL = "https://api.openai.com/v1"

NO_KEY = "none"
"""Sent where an endpoint has no key: local servers want none, and the client wants something."""

MIN_KEY = 8
"""Characters of the shortest key that is looked for in what a server sends."""

_LOCAL_HOSTS = ("//127.0.0.1", "//localhost", "//[::1]", "//0.0.0.0")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that speaks Chat Completions, or the built-in analyst (`base_url` empty)."""

    name: str
    base_url: str = ""
    model: str = ""
    """The model to ask; the server's first when empty."""
    api_key_env: str = ""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)
    """How it is asked where that is its own: values of `ServingSettings`."""

    extra_body: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False, compare=False)
    """Further keys of the requests that are made, whichever settings have them."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers that a person set for it, with `${NAME}` where a variable's value is sent."""
        return self.options.get("headers") or {}

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

    def cleaner(self, environ: Mapping[str, str] | None = None) -> Callable[[str], str]:
        """What blanks its key, and the secrets of its headers, in texts of this endpoint, should the server have
        repeated them."""
        secrets = self.api_key(environ), *secrets_in(self.headers, self.extra_body, environ)
        hidden = [secret for secret in secrets if len(secret) >= MIN_KEY]

        def clean(text: str) -> str:
            for secret in hidden:
                text = text.replace(secret, "[key]")
            return text

        return clean

    def without_key(self, text: str, environ: Mapping[str, str] | None = None) -> str:
        """Text of this endpoint with its key blanked."""
        return self.cleaner(environ)(text)

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

    def __hash__(self) -> int:  # tables among the settings have none
        return hash((self.endpoint, self.model))


def configured(workspace: Workspace, environ: Mapping[str, str] | None = None) -> tuple[Endpoint, ...]:
    """The endpoints a person named: `[[endpoints]]` first, then the environment's; the built-in analyst last."""
    env = os.environ if environ is None else environ
    shared = {"headers": workspace.settings.model.headers} if workspace.settings.model.headers else {}
    servers = [
        Endpoint(
            row.name, row.base_url.rstrip("/"), row.model, row.api_key_env, {**shared, **_own_options(row, shared)}
        )
        for row in workspace.settings.endpoints
    ]
    if env.get("OPENAI_BASE_URL") or env.get("OPENAI_API_KEY"):
        url = (env.get("OPENAI_BASE_URL") or OPENAI_URL).rstrip("/")
        servers.append(Endpoint("openai", url, env.get("OPENAI_MODEL", ""), "OPENAI_API_KEY", shared))
    return (*servers, BUILTIN)


def _own_options(row: EndpointSettings, shared: Mapping[str, Any]) -> dict[str, Any]:
    """What a table of `[[endpoints]]` says of how its server is asked."""
    own = {name: value for name in OPTIONS if (value := getattr(row, name)) is not None}
    if "headers" in own and shared:
        own["headers"] = {**shared["headers"], **own["headers"]}
    return own


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
    known = configured(workspace, environ)
    name = endpoint or workspace.settings.model.endpoint
    if name.startswith(("http://", "https://")):
        url = name.rstrip("/")
        # a key goes only to the endpoint it was set for
        chosen = next((server for server in known if server.base_url == url), Endpoint(without_secrets(url), url))
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
    refuse_address(chosen)
    if chosen.builtin and model not in ("", BUILTIN_MODEL):
        raise UsageError(
            f"the built-in analyst has no model {model!r}; name an endpoint that serves it with --endpoint"
        )
    return chosen_with(chosen, model, settings_for(workspace, chosen, sampling))


def chosen_with(endpoint: Endpoint, model: str, settings: ModelSettings) -> ModelChoice:
    """The choice of a model, whose endpoint knows what of its requests nobody may see."""
    if not endpoint.builtin and (endpoint.headers or settings.headers):
        endpoint = replace(endpoint, options={**endpoint.options, "headers": settings.headers or {}})
    return ModelChoice(replace(endpoint, extra_body=settings.extra_body or {}), model, settings)


def settings_for(workspace: Workspace, endpoint: Endpoint, options: Mapping[str, Any] | None = None) -> ModelSettings:
    """How an endpoint is asked: as `[model]` has it, over that its own table, over both the options.

    Raises:
        UsageError: an option has a value that it does not take.
    """
    settings = with_options(workspace.settings.model, endpoint.options, options or {})
    for name in msgspec.structs.fields(settings):
        value = getattr(settings, name.name)
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"{name.name} is {value}; give a number that can be used")
    return settings


_NEXT_ADDRESS = re.compile(r",(?=https?://)")
"""Between addresses of which a cluster asks each in turn."""


def without_secrets(address: str) -> str:
    """An address as a name: threads and messages hold it, so no password and no key of the address stands in it."""
    return ",".join(map(_shown, _NEXT_ADDRESS.split(address)))


def _shown(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.partition("://")[0]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def refuse_secrets(endpoint: str) -> str:
    """An endpoint as a person named it, which is to be written down. Raises UsageError where it is an address with a
    password or a key in it: files are kept, copied and read by others."""
    if "://" in endpoint and (plain := without_secrets(endpoint)) != endpoint:
        raise UsageError(
            f"{one_line(plain)} was given with a password or a key, which would be written down: name the server in "
            "sensorloom.toml as one of the [[endpoints]], its key in the environment (api_key_env), and give that name"
        )
    return endpoint


def refuse_address(endpoint: Endpoint) -> None:
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
