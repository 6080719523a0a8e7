"""The loop, closed: threads are made, exported and trained on, and the model is asked about people it never saw.

`make loop` (`make servers` prepares what it needs) prints the page of `docs/loop.md`; what was done is kept in the
folder, and a run that was stopped goes on with what is missing. DEVICE=cuda trains on a GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.loop.page import Results, page
from tests.servers.starting import FOLDER, TREE, NotPrepared, python_of, serve_llamacpp, weights

SENSORLOOM = Path(sys.executable).parent / "sensorloom"
EVIDENCE = ("reference", "measure")
HELD_OUT = ("s09", "s10")
QUESTION = "Which of the activities is this session?"
SEED = 11

KEPT_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**36),
    "MALLOC_TOP_PAD_": str(2**28),
}
"""Has glibc keep what training frees: giving it back and asking anew was a fifth of the time."""


@dataclass(frozen=True)
class Sizes:
    """How much is made, trained and asked."""

    folder: Path
    threads: int
    """Threads made for each kind of evidence."""
    sessions: int
    """Held-out sessions that are asked."""
    epochs: float
    max_length: int
    threads_of_cpu: int

    @property
    def workspace(self) -> Path:
        """Where the threads are."""
        return self.folder / "workspace"


def chosen() -> Sizes:
    """The sizes of the command line."""
    wanted = argparse.ArgumentParser(prog="python -m tests.loop")
    wanted.add_argument("--folder", type=Path, default=TREE / "build/loop")
    wanted.add_argument("--threads", type=int, default=100)
    wanted.add_argument("--sessions", type=int, default=36)
    wanted.add_argument("--epochs", type=float, default=1.0)
    wanted.add_argument("--max-length", type=int, default=1100)
    wanted.add_argument("--cpus", type=int, default=os.cpu_count() or 1)
    options = wanted.parse_args()
    return Sizes(
        options.folder.resolve(),
        options.threads,
        options.sessions,
        options.epochs,
        options.max_length,
        options.cpus,
    )


def sensorloom(sizes: Sizes, *arguments: object, fails: bool = False) -> str:
    """What a command prints. Raises SystemExit with its words where it fails."""
    config = {"XDG_CONFIG_HOME": str(sizes.folder / "config"), "TESTS_KEY": ""}
    command = [str(SENSORLOOM), *map(str, arguments), "--workspace", str(sizes.workspace)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **config})
    if ended.returncode and not fails:
        raise SystemExit(f"{' '.join(command[1:])}: {ended.stderr[-2000:]}")
    return ended.stdout


def training_sessions(sizes: Sizes) -> list[str]:
    """Sessions of the people that are trained on, as many of each label, in no order."""
    from core.datasets.drawing import draw_sessions
    from core.datasets.standard import open_dataset
    from core.workspace import open_workspace

    dataset = open_dataset(open_workspace(str(sizes.workspace)), "demo")
    there = [session for session in dataset.sessions if dataset.subjects.get(session) not in HELD_OUT]
    return draw_sessions(dataset, sizes.threads, SEED, there)


def split_first(sizes: Sizes) -> None:
    """Has everybody on a side before threads are made, so that none quotes who is on another."""
    from core.datasets.standard import open_dataset
    from core.workspace import open_workspace

    dataset = open_dataset(open_workspace(str(sizes.workspace)), "demo")
    first = {dataset.subjects[session]: session for session in dataset.sessions}
    sessions = [part for subject in sorted(first.keys() - {*HELD_OUT}) for part in ("--session", first[subject])]
    sensorloom(sizes, "run", "--dataset", "demo", *sessions, "--form", "compact", "--endpoint", "builtin", fails=True)
    sensorloom(sizes, "export", "--profile", "hf", "--split", "90/10", "--group", "subject")
    sensorloom(sizes, "delete", "--filter", "dataset:demo")


def make_threads(sizes: Sizes) -> None:
    """The workspace, who is held out of it, and the threads of both kinds of evidence."""
    sizes.workspace.mkdir(parents=True, exist_ok=True)
    if not (sizes.workspace / "data").exists():
        sensorloom(sizes, "datasets", "import", "demo")
        names = [part for subject in HELD_OUT for part in ("--hold-out", f"demo/subject:{subject}")]
        sensorloom(sizes, "export", *names, fails=True)  # there is no thread yet, and the names are kept
        split_first(sizes)
    sessions = [part for session in training_sessions(sizes) for part in ("--session", session)]
    for evidence in EVIDENCE:
        noted = sizes.folder / f"threads_{evidence}.txt"
        if not noted.exists():
            options = ["--form", "compact", "--evidence", evidence, "--seed", SEED, "--question", QUESTION]
            told = sensorloom(
                sizes, "run", "--dataset", "demo", *sessions, *options, "--endpoint", "builtin", fails=True
            )
            noted.write_text(told)


def exported(sizes: Sizes, evidence: str) -> tuple[Path, dict[str, Any]]:
    """The script beside the export of one kind of evidence, and what its manifest says."""
    noted = sizes.folder / f"export_{evidence}.json"
    if not noted.exists():
        told = sensorloom(
            sizes, "export", "--profile", "hf", "--split", "90/10", "--group", "subject", "--correct-only",
            "--filter", f"evidence:{evidence} form:compact", "--json",
        )  # fmt: skip
        noted.write_text(told)
    report = json.loads(noted.read_text())
    script = next(
        sizes.workspace.joinpath("exports").glob(f"{Path(report['path']).stem.removesuffix('_train')}*.trl.py")
    )
    return script, report


def trained(sizes: Sizes, evidence: str, script: Path) -> tuple[Path, dict[str, Any]]:
    """The tuned model as GGUF, and of its training the CPU seconds, the losses, and what the script printed."""
    folder, gguf = sizes.folder / f"tuned_{evidence}", sizes.folder / f"tuned_{evidence}.gguf"
    noted = sizes.folder / f"training_{evidence}.json"
    if not gguf.exists():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        options = ["--lora", 16, "--lr", 2e-3, "--batch", 1, "--accumulate", 2, "--precision", "bf16", "--seed", SEED]
        more = ["--epochs", sizes.epochs, "--max-length", sizes.max_length]
        told = in_transformers(sizes, script, FOLDER, folder, *options, *more)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        history = json.loads((folder / "trainer_state.json").read_text())["log_history"]
        losses = [step["loss"] for step in history if "loss" in step]
        noted.write_text(json.dumps({"seconds": seconds, "told": told, "losses": losses}))
        in_transformers(sizes, TREE / "tests/loop/to_gguf.py", weights(), folder, gguf)
    return gguf, json.loads(noted.read_text())


def in_transformers(sizes: Sizes, script: Path, *arguments: object) -> str:
    """What a script prints in the environment of transformers."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(sizes.threads_of_cpu), **KEPT_MEMORY}
    command = [str(python_of("transformers")), str(script), *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if ended.returncode:
        raise SystemExit(f"{script.name}: {ended.stderr[-3000:]}")
    return ended.stdout


def evaluated(sizes: Sizes, evidence: str, tuned: Path) -> dict[str, Any]:
    """The untuned model, the tuned one and the built-in analyst on held-out people, as `evaluate --json` has it."""
    noted = sizes.folder / f"evaluation_{evidence}.json"
    if noted.exists():
        return json.loads(noted.read_text())
    with ExitStack() as running:
        rows: list[str] = []
        for name, model in (("base", weights()), (f"tuned-{evidence}", tuned)):
            started = running.enter_context(serve_llamacpp(sizes.folder / f"{name}.log", key="", model=model))
            rows.append(
                f'[[endpoints]]\nname = "{name}"\nbase_url = "{started.url}"\nmodel = "smol"\ntemperature = 0.0\n'
                "max_tokens = 160\nconcurrency = 1\nfirst_token_timeout_sec = 600\ntimeout_sec = 120\n"
            )
        config = sizes.folder / "config/sensorloom/sensorloom.toml"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text("\n".join(rows))
        name = f"loop-{evidence}"
        there = (sizes.workspace / "evaluations" / name).exists()
        begin = [
            "--dataset", "demo", "--held-out", "--count", sizes.sessions, "--seed", SEED, "--evidence", evidence,
            "--form", "compact", "--question", QUESTION, "--max-turns", 6, "--control",
            "--endpoint", "base", "--endpoint", f"tuned-{evidence}", "--endpoint", "builtin",
        ]  # fmt: skip
        told = sensorloom(sizes, "evaluate", name, *(["--resume"] if there else begin), "--json", fails=True)
    noted.write_text(told)
    return json.loads(told)


def main() -> None:
    """Go round once, and print the page."""
    sizes = chosen()
    try:
        for kind in ("llamacpp", "transformers"):
            python_of(kind)
    except NotPrepared as reason:
        raise SystemExit(str(reason)) from None
    make_threads(sizes)
    exports = {evidence: exported(sizes, evidence) for evidence in EVIDENCE}
    results: list[Results] = []
    for evidence, (script, report) in exports.items():
        tuned, training = trained(sizes, evidence, script)
        measured = evaluated(sizes, evidence, tuned)
        folder = sizes.workspace / "evaluations" / f"loop-{evidence}"
        results.append(Results(evidence, report, training, measured, folder, sizes.workspace / "threads"))
    print("\n".join(page(results, HELD_OUT, " ".join(sys.argv[1:]))))


if __name__ == "__main__":
    main()
