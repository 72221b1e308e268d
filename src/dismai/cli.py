"""The command `dismai`; heavy imports stay inside the commands, so that --help is instant.

Options are checked before anything heavy is imported, and the folder of --out before the work.
"""

import os
import shlex
import signal
import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dismai import __version__
from dismai.base import examples
from dismai.base.atomic import (
    explain_os_error,
    output_folder,
    printable_name,
)
from dismai.base.errors import InputError
from dismai.base.kinds import dataset_names, our_kinds
from dismai.base.metric import FAMILIES
from dismai.base.resources import check_shipped, shipped_references
from dismai.pipeline import commands

app = typer.Typer(
    help="Judge generative models of disordered materials.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
OUR_DATASETS = [name for kind in our_kinds() for name in kind.datasets]
LARGEST_SEED = 2**63 - 1
MOST_STRUCTURES = 10_000_000
PICTURES = (".svg", ".png", ".pdf")


Size = StrEnum("Size", ["small", "paper"])
"""How large a training set is."""


Align = StrEnum("Align", ["none", "translate", "rotate"])
"""How generated alloys are laid on the lattice."""


def _starting_with(names: tuple[str, ...]):
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]


def _datasets_starting_with(incomplete: str) -> list[str]:
    return _starting_with(dataset_names())(incomplete)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dismai {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    """Judge generative models of disordered materials."""


@app.command(epilog=examples.EVALUATE)
def evaluate(
    files: Annotated[
        list[Path], typer.Argument(help="Files, folders or archives of structures: one set.")
    ],
    dataset: Annotated[
        str,
        typer.Option(
            help="Dataset that the structures imitate: "
            f"{', '.join(OUR_DATASETS)}; with --reference any name.",
            autocompletion=_datasets_starting_with,
        ),
    ],
    reference: Annotated[
        Path | None,
        typer.Option(help="Training structures, or their folder; else the shipped set."),
    ] = None,
    align: Annotated[
        Align, typer.Option(help="Alloys: lattice as it is, shifted, or rotated and shifted.")
    ] = Align.none,
    n_generated: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST_STRUCTURES, help="Structures generated; else those in the file."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Name of the set in tables; else that of the file.")
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            min=0, max=LARGEST_SEED, help="Seed of the training; pairs sets in `compare`."
        ),
    ] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; else one a core. Changes no result.")
    ] = None,
    relax: Annotated[
        str | None,
        typer.Option(
            help="Relax first: sw, chgnet, YAML file of a potential, XML file of a GAP.",
            autocompletion=_starting_with(("sw", "chgnet")),
        ),
    ] = None,
    families: Annotated[
        str | None,
        typer.Option(help=f"Metrics to compute, with commas between: {', '.join(FAMILIES)}."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.html, metrics and fates.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Score structures against the training set of a dataset."""
    from dismai.evaluation.early import check_request

    potential = check_request(files, dataset, reference, relax, n_generated, out, families)
    with nullcontext() if out is None else output_folder(out):
        from dismai.base.kept import state_of
        from dismai.base.progress import progress_bars
        from dismai.evaluation.file import evaluate_file
        from dismai.evaluation.parallel import usable_cores
        from dismai.potentials.relaxation_plan import RelaxationPlan
        from dismai.report.output import to_json, to_text, write_evaluation

        relaxation = None
        if potential is not None:  # what is finished survives a kill if there is a folder for it
            state = None if out is None else (state_of(out) / "relax").absolute()
            relaxation = RelaxationPlan(potential, state=state, device="auto")
        with progress_bars() as reporter:
            result = evaluate_file(
                files,
                dataset,
                reference,
                align.value,
                n_generated,
                jobs or usable_cores(),
                None if model is None else printable_name(model),
                seed,
                reporter,
                relaxation,
                families,
            )
        try:  # the numbers first: whatever happens to the files, they are on the screen
            typer.echo(to_json(result) if json else to_text(result))
        finally:
            if out is not None:
                write_evaluation(result, out, printable_name(shlex.join(["dismai", *sys.argv[1:]])))
    if out is not None and not json:
        page = printable_name(str(out / "report.html"))
        typer.echo(f"\nWritten: {page}, metrics and fates beside it.")


@app.command(epilog=examples.COMPARE)
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
    from dismai.evaluation.comparison import compare as compare_sets
    from dismai.evaluation.comparison import to_json, to_text
    from dismai.evaluation.runs import load_runs

    comparison = compare_sets(load_runs(runs), metric)
    typer.echo(to_json(comparison) if json else to_text(comparison))


@app.command(epilog=examples.RANK)
def rank(
    runs: Annotated[
        list[Path] | None, typer.Argument(help="Folders: results/RUN, or of `evaluate --out`.")
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Rank the values of the paper instead.")
    ] = False,
    figure: Annotated[
        Path | None, typer.Option(help="Spider chart of the ranks: an SVG, PNG or PDF file.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Rank models on every dataset and over all; what was not run or failed is last."""
    if published == bool(runs):
        raise InputError("rank: expected folders of results or --published, and not both")
    if figure is not None and figure.suffix not in PICTURES:
        raise InputError(f"{figure}: expected a name ending in {', '.join(PICTURES)}")
    from dismai.evaluation.comparison import model_labels
    from dismai.evaluation.ranking import headlines_of, ranking
    from dismai.evaluation.runs import load_runs, published_run
    from dismai.report.ranking import plot_spider, to_json, to_text

    metrics = published_run() if published else load_runs(runs or [])
    if not published:
        metrics = metrics.assign(model=model_labels(metrics))
    headlines = headlines_of(metrics)
    table = ranking(metrics, headlines)
    typer.echo(to_json(table, headlines) if json else to_text(table, headlines))
    if figure is not None:
        from dismai.report.figures import save_figure

        save_figure(plot_spider(table), figure)


@app.command(epilog=examples.DATASET)
def dataset(
    name: Annotated[
        str,
        typer.Argument(
            help="Dataset with a shipped reference.", autocompletion=_datasets_starting_with
        ),
    ],
    out: Annotated[Path, typer.Option(help="File for the training set, extended XYZ.")],
    val: Annotated[Path | None, typer.Option(help="File for what is held out.")] = None,
    size: Annotated[
        Size, typer.Option(help="As the reference that ships, or a few small structures.")
    ] = Size.paper,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; else one a core. Changes no result.")
    ] = None,
) -> None:
    """Make the training set of a dataset, its card beside it; a killed command goes on."""
    check_shipped(name, shipped_references())
    with output_folder(out.absolute().parent):
        from dismai.base.kept import state_of
        from dismai.base.progress import progress_bars
        from dismai.evaluation.parallel import usable_cores
        from dismai.evaluation.training_set import make_files

        with progress_bars() as reporter:
            state = (state_of(out.parent) / "relax").absolute()
            said = make_files(name, out, val, size.value, jobs or usable_cores(), state, reporter)
    typer.echo(printable_name(said))


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Result folder: results/RUN.")],
    out: Annotated[
        Path | None, typer.Option(help="File of the page; else report.html in the folder.")
    ] = None,
) -> None:
    """Write the page of a run: one HTML file that opens offline."""
    from dismai.report.run_page import write_run_page

    path = write_run_page(folder, out)
    typer.echo(f"{printable_name(str(path))}: {path.stat().st_size / 2**20:.1f} MiB")


app.command(epilog=examples.GENERATE)(commands.generate)
app.command(epilog=examples.SUBMIT)(commands.submit)
app.command(epilog=examples.LEADERBOARD)(commands.leaderboard)


@app.command()
def describe(
    files: Annotated[list[Path], typer.Argument(help="Files or folders of structures.")],
) -> None:
    """Say what the structures of a file are."""
    from dismai.report.describe import describe_file

    for file in files:
        typer.echo(describe_file(file))


@app.command()
def validate(
    folders: Annotated[list[Path], typer.Argument(help="Result folders: results/RUN.")],
) -> None:
    """Check that result folders are complete and consistent."""
    from dismai.pipeline.validation import findings

    wrong = False
    for folder in folders:
        n_runs, found = findings(folder)
        for line in found:
            typer.echo(line)
        typer.echo(f"{folder}: {n_runs} runs, {f'{len(found)} findings' if found else 'all whole'}")
        wrong |= bool(found)
    raise typer.Exit(2 if wrong else 0)


@app.command()
def datasets() -> None:
    """List the datasets by name; one with a shipped reference needs no --reference."""
    from dismai.evaluation.reference import shipped_cards
    from dismai.models import paper_spec

    shipped = shipped_cards()
    typer.echo(f"{'name':18s} {'kind':12s} {'atoms in the paper':28s} shipped reference")
    for name in dict.fromkeys([*dataset_names(), *shipped]):
        spec = paper_spec(name) if name in dataset_names() else shipped[name]
        size = shipped[name].size if name in shipped else "no"
        typer.echo(f"{name:18s} {spec.kind:12s} {spec.made_of:28s} {size}")


@app.command()
def models() -> None:
    """List the architectures that the workflow can train here."""
    from dismai.models import names

    for name in names():
        typer.echo(name)


def main() -> None:
    """Run a command; what the user can mend is one line and exit code 2."""
    for stream in (sys.stdout, sys.stderr):  # a name or a sign that the terminal cannot show
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # ends the workers
    try:
        app()
    except InputError as error:
        _end(str(error))
    except ModuleNotFoundError as error:  # a library that only an extra brings
        from dismai.base.extras import how_to_install

        said = how_to_install(error.name or "")
        if said is None:
            raise
        _end(said)
    except BrokenPipeError:  # whoever read our output has left, as in `dismai ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        _end(explain_os_error(error))


def _end(message: str) -> None:
    print(f"dismai: {printable_name(' '.join(message.split()))}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
