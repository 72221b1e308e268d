"""Commands of `dismai` on what people share: trained models, submissions, the leaderboard."""

from pathlib import Path
from typing import Annotated

import typer

from dismai.base.atomic import check_place_of_file, output_folder, printable_name
from dismai.base.errors import InputError

LARGEST_SEED = 2**63 - 1
MOST_STRUCTURES = 10_000_000


def generate(
    model: Annotated[
        str, typer.Argument(help="File of a trained model, or with --dataset a pretrained one.")
    ],
    file: Annotated[
        Path | None, typer.Argument(help="File for the structures, extended XYZ.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The same as an option.")] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Dataset that the pretrained model has learned.")
    ] = None,
    number: Annotated[
        int, typer.Option("--number", "-n", min=1, max=MOST_STRUCTURES, help="How many.")
    ] = 100,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Of the generation.")] = 0,
    repeat: Annotated[
        tuple[int, int, int],
        typer.Option(help="Training cells along each vector of the cell; melt alone has larger."),
    ] = (1, 1, 1),
    device: Annotated[str, typer.Option(help="Where to compute: auto, cpu, cuda.")] = "auto",
) -> None:
    """Draw structures from a trained model, one of yours or one that ships."""
    if (file is None) == (out is None):
        found = "none" if out is None else "two"
        raise InputError(f"generate: expected one file for the structures, found {found}")
    target = out or file
    check_place_of_file(target)
    from dismai.models.pretrained import pretrained

    source = Path(model) if dataset is None else pretrained(model, dataset)
    with output_folder(target.absolute().parent):
        from dismai.files.structures import write_structures
        from dismai.models import load, sample

        trained = load(source)
        trained.device = device
        write_structures(sample(trained, number, seed, repeat), target)
    typer.echo(f"Written: {printable_name(str(target))}, {number} structures.")


def submit(
    folder: Annotated[Path, typer.Argument(help="results/RUN to pack, or a submission to check.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the submission.")] = None,
    name: Annotated[
        str | None, typer.Option(help="How tables call it; else the name of the folder.")
    ] = None,
) -> None:
    """Pack results into a submission and check it; check one that is packed."""
    from dismai.evaluation.submission import CARD
    from dismai.pipeline.submit_checks import faults

    if out is None and not (folder / CARD).is_file():
        raise InputError(
            f"{folder}: expected a submission (a folder with {CARD}), or --out for one that is "
            "made of results, found neither"
        )
    if out is not None:
        from dismai.pipeline.submit import pack

        pack(folder, out, name)
    place = out or folder
    found = faults(place)
    for line in found:
        typer.echo(line)
    size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file()) / 1e6
    typer.echo(f"{place}: {size:.1f} MB, {f'{len(found)} faults' if found else 'all whole'}")
    raise typer.Exit(2 if found else 0)


def leaderboard(
    folders: Annotated[list[Path], typer.Argument(help="Submissions, ours among them.")],
    out: Annotated[Path, typer.Option(help="File of the page, HTML.")],
) -> None:
    """Write the leaderboard of submissions: one HTML file that opens offline."""
    check_place_of_file(out)
    from dismai.report.leaderboard import write_leaderboard

    with output_folder(out.absolute().parent):
        write_leaderboard(folders, out)
    typer.echo(f"{printable_name(str(out))}: {out.stat().st_size / 2**20:.1f} MiB")
