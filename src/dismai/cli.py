"""The command `dismai`; heavy imports stay inside the commands, so that --help is instant."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dismai.errors import InputError

app = typer.Typer(
    help="Judge generative models of disordered materials.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Align(StrEnum):
    """How generated alloys are laid on the lattice."""

    none = "none"
    translate = "translate"
    rotate = "rotate"


@app.command()
def evaluate(
    file: Annotated[Path, typer.Argument(help="Structures: extended XYZ or what ASE reads.")],
    dataset: Annotated[str, typer.Option(help="Dataset that the structures imitate.")],
    reference: Annotated[
        Path | None,
        typer.Option(help="Training structures with card.json beside; else the shipped set."),
    ] = None,
    align: Annotated[
        Align, typer.Option(help="Alloys: lattice as it is, shifted, or rotated and shifted.")
    ] = Align.none,
    n_generated: Annotated[
        int | None, typer.Option(min=1, help="Structures generated; else those in the file.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for metrics.parquet and fates.parquet.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Score a file of structures against the training set of a dataset."""
    from dismai.evaluation.file import evaluate_file, to_text
    from dismai.io import FATES_SCHEMA, METRICS_SCHEMA, write_table

    result = evaluate_file(file, dataset, reference, align.value, n_generated)
    if out is not None:
        write_table(result.metrics, out / "metrics.parquet", METRICS_SCHEMA)
        write_table(result.fates, out / "fates.parquet", FATES_SCHEMA)
    if json:
        typer.echo(result.metrics.to_json(orient="records", indent=2))
    else:
        typer.echo(to_text(result))


@app.command()
def describe(
    files: Annotated[list[Path], typer.Argument(help="Files or folders of structures.")],
) -> None:
    """Say what the structures of a file are."""
    from dismai.describe import describe_file

    for file in files:
        typer.echo(describe_file(file))


def main() -> None:
    """Run a command; what the user can mend is one line and exit code 2."""
    try:
        app()
    except InputError as error:
        print(f"dismai: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
