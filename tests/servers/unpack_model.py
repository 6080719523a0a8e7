# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""SmolLM2-135M-Instruct out of its GGUF as a folder that trainers load. Runs in the environment of transformers.

python unpack_model.py FOLDER_OF_GGUF NAME.gguf TEMPLATE.jinja OUTPUT_FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

CALLS = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|im_start|>assistant\n",
    "fields": {
        "tool_calls": {
            "open_pattern": r"\s*<tool_call>",
            "close": "</tool_call>",
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close_pattern": r"\s*<\|im_end\|>", "content": "text"},
    },
}
"""How `transformers serve` reads calls out of this template's text: it knows that of Qwen's and Gemma's models only."""


def main(folder: str, name: str, template: str, output: str) -> None:
    """Weights of four bits become bfloat16: what was rounded stays rounded."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    tokenizer.chat_template = Path(template).read_text(encoding="utf-8")
    model = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=name, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
    )
    model.config._name_or_path = ""
    model.save_pretrained(output)
    tokenizer.save_pretrained(output)
    settings = Path(output, "tokenizer_config.json")
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "response_template": CALLS}, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:5])
