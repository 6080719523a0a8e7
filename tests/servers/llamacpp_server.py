# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""llama.cpp's own server, as the wheel `xllamacpp` holds it. Runs in an environment of its own, without sensorloom.

python llamacpp_server.py MODEL.gguf [--template FILE] [--port N] [--context N] [--slots N] [--key KEY] [--alias NAME]
                          [--lora ADAPTER.gguf] [--threads N]
"""

from __future__ import annotations

import argparse
import signal
from pathlib import Path


def main() -> None:
    """Serve until a signal comes; prints the address when it listens."""
    import xllamacpp

    wanted = argparse.ArgumentParser()
    wanted.add_argument("model")
    wanted.add_argument("--template", default="", help="a Jinja file that takes the place of the model's own")
    wanted.add_argument("--port", type=int, default=8080)
    wanted.add_argument("--context", type=int, default=8192, help="tokens, for each slot")
    wanted.add_argument("--slots", type=int, default=2)
    wanted.add_argument("--key", default="")
    wanted.add_argument("--alias", default="")
    wanted.add_argument("--lora", default="")
    wanted.add_argument("--threads", type=int, default=1)
    options = wanted.parse_args()
    params = xllamacpp.CommonParams()
    params.model.path = options.model
    params.hostnames = ["127.0.0.1"]
    params.port = options.port
    params.n_ctx = options.context * options.slots
    params.n_parallel = options.slots
    params.kv_unified = False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.cpuparams.poll = params.cpuparams_batch.poll = 0  # others use the machine too
    params.use_jinja = True
    params.warmup = False
    if options.template:
        params.chat_template = Path(options.template).read_text(encoding="utf-8")
    if options.key:
        params.api_keys = [options.key]
    if options.alias:
        params.model_alias = {options.alias}
    if options.lora:
        adapter = xllamacpp.CommonAdapterLoraInfo()
        adapter.path, adapter.scale = options.lora, 1.0
        params.lora_adapters = [adapter]
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
