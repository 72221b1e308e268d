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
    model: Annotated[
        str | None, typer.Option(help="Name of the set in tables; else that of the file.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the training; pairs sets in `compare`.")
    ] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; else one a core. Changes no result.")
    ] = None,
    relax: Annotated[
        str | None,
        typer.Option(help="Relax first: sw, chgnet, YAML file of a potential, XML file of a GAP."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.html, metrics and fates.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Score a file of structures against the training set of a dataset."""
    from dismai.evaluation.file import evaluate_file, to_text
    from dismai.evaluation.output import to_json, write_evaluation
    from dismai.evaluation.parallel import usable_cores
    from dismai.evaluation.relaxation import Relaxing
    from dismai.potentials import named
    from dismai.progress import progress_bars

    relaxing = None
    if relax is not None:  # what is finished survives a kill if there is a folder for it
        state = None if out is None else (out / "state" / "relax").absolute()
        relaxing = Relaxing(named(relax), state=state, device="auto")
    with progress_bars() as reporter:
        result = evaluate_file(
            file,
            dataset,
            reference,
            align.value,
            n_generated,
            jobs or usable_cores(),
            model,
            seed,
            reporter,
            relaxing,
        )
    if out is not None:
        write_evaluation(result, out)
    typer.echo(to_json(result) if json else to_text(result))
    if out is not None and not json:
        typer.echo(f"\nWritten: {out / 'report.html'}, metrics and fates beside it.")


@app.command()
def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of `evaluate --out`, or results/RUN.")
    ],
    metric: Annotated[
        str | None, typer.Option(help="Metric that ranks; else the headline metric.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print all pairs as JSON.")] = False,
) -> None:
    """Rank several scored sets, paired by seeds where seeds pair."""
    from dismai.comparison import compare as compare_sets
    from dismai.comparison import to_json, to_text
    from dismai.runs import load_runs

    comparison = compare_sets(load_runs(runs), metric)
    typer.echo(to_json(comparison) if json else to_text(comparison))


@app.command()
def describe(
    files: Annotated[list[Path], typer.Argument(help="Files or folders of structures.")],
) -> None:
    """Say what the structures of a file are."""
    from dismai.describe import describe_file

    for file in files:
        typer.echo(describe_file(file))


@app.command()
def validate(
    folders: Annotated[list[Path], typer.Argument(help="Result folders: results/RUN.")],
) -> None:
    """Check that result folders are complete and consistent."""
    from dismai.validation import findings

    wrong = False
    for folder in folders:
        n_runs, found = findings(folder)
        for line in found:
            typer.echo(line)
        typer.echo(f"{folder}: {n_runs} runs, {f'{len(found)} findings' if found else 'all whole'}")
        wrong |= bool(found)
    raise typer.Exit(2 if wrong else 0)


def main() -> None:
    """Run a command; what the user can mend is one line and exit code 2."""
    try:
        app()
    except InputError as error:
        print(f"dismai: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
