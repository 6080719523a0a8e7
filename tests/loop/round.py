"""The stages of the loop. Each does what is not done yet, and notes that it is done as its last step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.datasets.drawing import draw_sessions
from core.datasets.standard import StandardDataset, open_dataset
from core.storage.atomic import write_atomic
from core.workspace import open_workspace
from tests import slices
from tests.servers.starting import FOLDER, TREE, Started, python_of, serve_llamacpp, serve_vllm, weights

SENSORLOOM = Path(sys.executable).parent / "sensorloom"
EVIDENCE = ("reference", "measure")
QUESTION = "Which of the activities is this session?"
SEED = 11
MAX_LENGTH = 1500
"""Tokens of a row; longer ones are left out, and counted."""
SPLIT = ("--profile", "hf", "--split", "90/10", "--group", "subject")
SIDES = "sides"
"""The folder of the threads that are there to give everybody a side."""
WRONG_TOO = (0, 1)
"""How commands end whose work is done, though some threads are unfinished."""
SLOTS = {"vllm": 16, "llamacpp": 4}
"""Threads that a server answers at once. vLLM computes their next tokens together, for little more than one's."""
CORES = max(1, (os.cpu_count() or 1) // len(EVIDENCE))
"""For each kind of evidence: both are trained and asked at the same time."""

KEPT_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**36),
    "MALLOC_TOP_PAD_": str(2**28),
}
"""Has glibc keep what training frees: giving it back and asking anew was a fifth of the time."""


@dataclass(frozen=True)
class Source:
    """A dataset of the loop."""

    name: str
    archive: Path | None
    """Its raw files; None for the demonstration, which is drawn."""
    held_out: tuple[str, ...]
    """The people who are asked about, and never trained on."""
    about: str
    """What of it there is, in a sentence."""


DEMO = Source("demo", None, ("s08", "s09", "s10"), "the demonstration dataset, ten drawn people with 42 sessions each")
UCI_HAR = Source(
    "uci_har",
    slices.FOLDER / "uci_har.zip",
    ("2", "4", "9", "10", "12", "13", "18", "20", "24"),
    "UCI HAR, of which there are the whole test part (2,947 windows of nine people, all held out) and 822 windows of "
    "eight people of the training part",
)


def sources() -> list[Source]:
    """The datasets that are to be had here."""
    return [source for source in (DEMO, UCI_HAR) if source.archive is None or source.archive.exists()]


@dataclass(frozen=True)
class Sizes:
    """How much is made and asked, what serves, and what trains."""

    threads: int
    """Made of each dataset for each kind of evidence."""
    steps: int
    """Of training, two rows each; 0 for all rows once."""
    sessions: int
    """Held-out ones that are asked, of each dataset."""
    server: str
    """`vllm` or `llamacpp`."""
    device: str

    @property
    def trainer(self) -> str:
        """The environment that trains: that of transformers, on a GPU with the torch for it."""
        return "transformers" if self.device == "cpu" else "transformers-cuda"

    def told(self) -> str:
        """As the command line has it."""
        device = "" if self.device == "cpu" else f" DEVICE={self.device}"
        some = f"--threads {self.threads} --steps {self.steps} --sessions {self.sessions}"
        return f'make loop SERVER={self.server}{device} ARGS="{some}"'


@dataclass(frozen=True)
class Measured:
    """What a round came to with one kind of evidence."""

    evidence: str
    report: dict[str, Any]
    """Of the export."""
    training: dict[str, Any]
    """As `Round.train` returns it."""
    answers: dict[str, dict[str, Any]]
    """What `evaluate --json` says, by the evaluation's name."""
    workspace: Path

    @property
    def tuned(self) -> str:
        """What the model is called that was trained on it."""
        return f"tuned-{self.evidence}"

    def names(self, source: Source) -> list[str]:
        """What the evaluations about a dataset are called: of the untuned model and the analyst, and of the tuned."""
        return [f"{source.name}-{self.evidence}-{model}" for model in ("base", self.tuned)]


def once(noted: Path, make: Callable[[], str]) -> str:
    """What a stage says; where it has not come to its end yet, it is gone through first."""
    if not noted.exists():
        print(f"{time.strftime('%H:%M:%S')} {noted.stem} …", file=sys.stderr, flush=True)  # an hour is long to watch
        write_atomic(noted, make().encode())
    return noted.read_text(encoding="utf-8")


@dataclass(frozen=True)
class Round:
    """One round of the loop in its folder."""

    folder: Path
    sizes: Sizes
    sources: Sequence[Source]
    lock: int
    """A file that commands and trainers hold open as well, so that nobody else works in the folder."""

    @property
    def workspace(self) -> Path:
        """Where the threads are."""
        return self.folder / "workspace"

    def go(self) -> list[Measured]:
        """All stages, as far as they have not been gone through."""
        self.make_threads()
        for evidence in EVIDENCE:
            self.export(evidence)
        with ThreadPoolExecutor(len(EVIDENCE) + 1) as pool:
            untuned = pool.submit(self.ask, "base", EVIDENCE)
            tuned = {evidence: pool.submit(self._train_and_ask, evidence) for evidence in EVIDENCE}
        answers = untuned.result()
        return [
            Measured(evidence, self.export(evidence), training, answers | told, self.workspace)
            for evidence, (training, told) in ((evidence, done.result()) for evidence, done in tuned.items())
        ]

    def _train_and_ask(self, evidence: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        return self.train(evidence), self.ask(f"tuned-{evidence}", [evidence])

    def make_threads(self) -> None:
        """The datasets, who is held out of them, who is on which side, and the threads of both kinds of evidence."""
        self.workspace.mkdir(parents=True, exist_ok=True)
        for source in self.sources:
            if not (self.workspace / "data" / source.name).exists():
                self.sensorloom("datasets", "import", source.name, *([source.archive] if source.archive else []))
        once(self.folder / "sides.txt", self._sides)
        batches = [(source, evidence) for evidence in EVIDENCE for source in self.sources]
        for number, (source, evidence) in enumerate(batches, len(self.sources)):
            noted = self.folder / f"threads_{source.name}_{evidence}.txt"
            once(noted, lambda n=number, s=source, e=evidence: self._threads(n, s, self._to_train_on(s), e))

    def _sides(self) -> str:
        """Has everybody held out or on a side before threads are made, so that none quotes who is on another.

        Sides are given when there is something to export: a thread about each person, in a folder of their own.
        """
        for number, source in enumerate(self.sources):
            dataset = self._dataset(source)
            first = {dataset.subjects[session]: session for session in dataset.sessions}
            sessions = [first[subject] for subject in sorted(first.keys() - {*source.held_out})]
            self._threads(number, source, sessions, EVIDENCE[0], SIDES)
        names = [f"{source.name}/subject:{person}" for source in self.sources for person in source.held_out]
        held_out = [part for name in names for part in ("--hold-out", name)]
        self.sensorloom("export", *SPLIT, *held_out, "--threads", self.workspace / SIDES)
        return (self.workspace / "splits.json").read_text(encoding="utf-8")

    def _threads(
        self, number: int, source: Source, sessions: Sequence[str], evidence: str, folder: str = "threads"
    ) -> str:
        """Threads of the built-in analyst about these sessions, which are the batch of that number, counted from 0."""
        begun = sorted(self.workspace.glob(".sensorloom/batches/*.jsonl"))
        if number < len(begun):
            options = ["--resume", begun[number].stem]
        else:
            named = [part for session in sessions for part in ("--session", session)]
            options = ["--dataset", source.name, *named, "--form", "compact", "--evidence", evidence]
            options += ["--seed", SEED, "--question", QUESTION, "--endpoint", "builtin"]
        return self.sensorloom("run", *options, "--threads", self.workspace / folder, allowed=WRONG_TOO)

    def _to_train_on(self, source: Source) -> list[str]:
        """Sessions of the people that are trained on, as many of each label, in no order."""
        dataset = self._dataset(source)
        others = [session for session in dataset.sessions if dataset.subjects.get(session) not in source.held_out]
        return draw_sessions(dataset, self.sizes.threads, SEED, others)

    def _dataset(self, source: Source) -> StandardDataset:
        return open_dataset(open_workspace(str(self.workspace)), source.name)

    def export(self, evidence: str) -> dict[str, Any]:
        """What is trained on, and the script beside it; returns the report."""
        options = [*SPLIT, "--correct-only", "--json"]
        only = f"evidence:{evidence} form:compact"
        return json.loads(
            once(
                self.folder / f"export_{evidence}.json",
                lambda: self.sensorloom("export", "--filter", only, *options),
            )
        )

    def train(self, evidence: str) -> dict[str, Any]:
        """Tune the model on one kind of evidence; returns what the script `told`, the `history` of its losses, and the
        CPU `seconds` since it was last gone on with, after step `begun_at`."""
        script = next(path for path in self.export(evidence)["beside"] if path.endswith(".trl.py"))

        def trained() -> str:
            checkpoints = self._tuned(f"tuned-{evidence}").glob("checkpoint-*")
            begun_at = max((int(path.name.split("-")[1]) for path in checkpoints), default=0)
            options = ["--lora", 16, "--lr", 2e-3, "--batch", 1, "--accumulate", 2, "--precision", "bf16"]
            options += ["--steps", self.sizes.steps] if self.sizes.steps else ["--epochs", 1]
            more = ["--seed", SEED, "--max-length", MAX_LENGTH, "--save-steps", 10, "--resume"]
            told, seconds = self._in_trainer(script, FOLDER, self._tuned(f"tuned-{evidence}"), *options, *more)
            history = json.loads((self._tuned(f"tuned-{evidence}") / "trainer_state.json").read_text())["log_history"]
            return json.dumps({"seconds": seconds, "begun_at": begun_at, "told": told, "history": history})

        return json.loads(once(self.folder / f"training_{evidence}.json", trained))

    def ask(self, model: str, evidences: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Ask a model about the held-out people of each dataset, with each evidence; with the untuned one the built-in
        analyst as well. Returns what `evaluate --json` says, by the evaluation's name."""
        names = {
            f"{source.name}-{evidence}-{model}": (source, evidence) for source in self.sources for evidence in evidences
        }
        noted = {name: self.folder / f"evaluation_{name}.json" for name in names}
        with ExitStack() as running:
            if not all(path.exists() for path in noted.values()):
                started = running.enter_context(self.served(model, self.folder / f"server_{model}.log"))
                self._write_endpoint(model, started.url)
            return {
                name: json.loads(once(noted[name], lambda name=name: self._asked(model, name, *names[name])))
                for name in names
            }

    def _asked(self, model: str, name: str, source: Source, evidence: str) -> str:
        others = ["--endpoint", "builtin"] if model == "base" else []
        begin = [
            "--dataset", source.name, "--held-out", "--count", self.sizes.sessions, "--seed", SEED, "--control",
            "--evidence", evidence, "--form", "compact", "--question", QUESTION, "--max-turns", 6,
            "--endpoint", model, *others,
        ]  # fmt: skip
        there = (self.workspace / "evaluations" / name / "evaluation.json").exists()
        options = ["--resume"] if there else begin
        told = self.sensorloom("evaluate", name, *options, "--json", allowed=WRONG_TOO, settings=self._settings(model))
        if "contestants" not in json.loads(told):
            raise SystemExit(f"{name}: {told}")
        return told

    def _write_endpoint(self, model: str, url: str) -> None:
        """Settings by which a model is asked at an address."""
        settings = self._settings(model) / "sensorloom/sensorloom.toml"
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(
            f'[[endpoints]]\nname = "{model}"\nbase_url = "{url}"\nmodel = "smol"\ntemperature = 0.0\n'
            f"max_tokens = 160\nconcurrency = {SLOTS[self.sizes.server]}\nfirst_token_timeout_sec = 600\n"
            "timeout_sec = 120\n"
        )

    def _settings(self, model: str) -> Path:
        """The folder of a person's settings when a model is asked."""
        return self.folder / f"settings_{model}"

    def _tuned(self, model: str) -> Path:
        """Where a tuned model is."""
        return self.folder / model

    def served(self, model: str, log: Path) -> AbstractContextManager[Started]:
        """A server with a model, `base` or a tuned one."""
        slots, tuned = SLOTS[self.sizes.server], self._tuned(model)
        if self.sizes.server == "vllm":
            return serve_vllm(log, key="", model=FOLDER if model == "base" else tuned, slots=slots)
        if model == "base":
            return serve_llamacpp(log, key="", slots=slots)
        gguf = tuned.with_suffix(".gguf")
        if not gguf.exists():
            half = gguf.with_suffix(".half")
            self._in_trainer(TREE / "tests/loop/to_gguf.py", weights(), tuned, half)
            half.replace(gguf)
        return serve_llamacpp(log, key="", model=gguf, slots=slots)

    def sensorloom(self, *arguments: object, allowed: Sequence[int] = (0,), settings: Path | None = None) -> str:
        """What a command prints. Raises SystemExit with its words where it ends otherwise."""
        own = {"XDG_CONFIG_HOME": str(settings or self.folder / "settings")}
        command = [str(SENSORLOOM), *map(str, arguments), "--workspace", str(self.workspace)]
        return self.run(command, own, allowed)[0]

    def _in_trainer(self, script: str | Path, *arguments: object) -> tuple[str, float]:
        """What a script prints in the environment that trains, and the CPU seconds it took."""
        hidden = {"CUDA_VISIBLE_DEVICES": ""} if self.sizes.device == "cpu" else {}
        own = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(CORES), **KEPT_MEMORY, **hidden}
        return self.run([str(python_of(self.sizes.trainer)), str(script), *map(str, arguments)], own)

    def run(self, command: list[str], own: dict[str, str], allowed: Sequence[int] = (0,)) -> tuple[str, float]:
        """What a program prints, and its CPU seconds. Raises SystemExit with its words where it ends otherwise."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            process = subprocess.Popen(
                command, stdout=out, stderr=err, env={**os.environ, **own}, pass_fds=(self.lock,)
            )
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            text = out.read()
            if process.returncode not in allowed or not text:
                raise SystemExit(f"{' '.join(command)[:300]} ended with {process.returncode}: {err.read()[-3000:]}")
            return text, used.ru_utime + used.ru_stime
