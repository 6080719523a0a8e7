"""`sensorloom prove`: load an export with a trainer's own code."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.export.profiles.profile import Trainer
from core.export.prove import TRAINERS, here, prove, python_of
from core.workspace import Workspace


@click.command("prove")
@click.argument("export", metavar="EXPORT")
@click.option("--trainer", type=click.Choice(TRAINERS), required=True, help="Whose loading code is run.")
@click.option("--python", metavar="PATH", help="The Python, or environment, that has it; .trainers/NAME unless told.")
@click.option(
    "--model", default="", metavar="DIR", help="A model or tokenizer, for its template; a tiny one unless told."
)
@click.option(
    "--rows", type=click.IntRange(1), default=1000, show_default=True, help="Rows whose tokens are looked at."
)
@click.option(
    "--cutoff",
    type=click.IntRange(1),
    metavar="TOKENS",
    help="With --model: count rows that are longer, 16384 unless told.",
)
@json_option
@workspace_options
def command(
    workspace: Workspace, export: str, trainer: Trainer, python: str | None, model: str, rows: int,
    cutoff: int | None, as_json: bool,
) -> int:  # fmt: skip
    """Load EXPORT with a trainer's own code and say what it would train on.

    EXPORT is a path, or a name in the exports folder. Exits with 1 when rows or texts are lost, or when anything but
    the assistant's turns is trained.
    """
    if cutoff and not model:
        raise click.UsageError("`--cutoff` counts the tokens of your model: name it with `--model DIR`")
    path = Path(export)
    if not path.exists() and (workspace.exports / export).exists():
        path = workspace.exports / export
    proof = prove(
        path,
        trainer,
        python_of(trainer, python, here()),
        model=model,
        limit=rows,
        cutoff=(cutoff or 16384) if model else 0,
    )
    if as_json:
        import msgspec

        print_json({**msgspec.to_builtins(proof), "holds": not proof.problems, "problems": list(proof.problems)})
        return 1 if proof.problems else 0
    say(f"rows      {proof.rows_in} in, {proof.rows_loaded} loaded by {trainer}")
    for role, count in sorted(proof.trained.items(), key=lambda entry: -entry[1]):
        say(f"trained   {count} tokens of {'the template around it' if role == 'markup' else role}")
    if proof.cutoff:
        say(f"longest   {max(proof.lengths, default=0)} tokens; {proof.too_long} rows over {proof.cutoff}")
    say(f"lost      {proof.texts_lost} texts")
    for text in proof.text_lost[:10]:
        say(f"  {text}")
    for problem in proof.problems:
        say(f"problem   {problem}")
    if not proof.problems:
        say("holds     every row is loaded, every text is there, only the assistant's turns are trained")
    return 1 if proof.problems else 0
