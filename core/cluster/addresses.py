"""Where the workers of a cluster ask: a server on each machine, or one of several, by how busy each is.

An address may hold `{node}`, for which each worker puts its own machine's address, and several addresses may be named
with commas between. Threads keep the endpoint's name as a person gave it, so that they are equal wherever they ran.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from core.model.endpoints import Endpoint, ModelChoice, refuse_address
from core.settings_tables import secret_texts, variables_in

NODE = "{node}"


def addresses_of(endpoint: Endpoint) -> tuple[str, ...]:
    """The addresses that an endpoint names; an empty one for the built-in analyst.

    Raises:
        UsageError: one of them is no address.
    """
    addresses = tuple(filter(None, (part.strip().rstrip("/") for part in endpoint.base_url.split(",")))) or ("",)
    for address in addresses:
        refuse_address(replace(endpoint, base_url=address))
    return addresses


def is_for_a_cluster(endpoint: Endpoint) -> bool:
    """Whether an endpoint names what only the workers of a cluster can ask."""
    return NODE in endpoint.base_url or "," in endpoint.base_url


def choice_at(choice: ModelChoice, address: str, node: str) -> ModelChoice:
    """The choice with one address, as it is on this machine."""
    host = f"[{node}]" if ":" in node else node
    return replace(choice, endpoint=replace(choice.endpoint, base_url=address.replace(NODE, host)))


def variables_for(choice: ModelChoice, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of the environment that requests to an endpoint need, as far as they are set: its key, what its
    headers and further keys name, and for the endpoint that the variables `OPENAI_…` describe, those."""
    env = os.environ if environ is None else environ
    endpoint = choice.endpoint
    if endpoint.builtin:
        return {}
    texts = [*endpoint.headers.values(), *(value for _, value in secret_texts(choice.settings.extra_body))]
    names = {endpoint.api_key_env, *(name for text in texts for name in variables_in(text))}
    if endpoint.is_environments(env):
        names |= {name for name in env if name.startswith("OPENAI_")}
    return {name: env[name] for name in sorted(names) if env.get(name)}
