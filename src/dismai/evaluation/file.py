"""Score a plain file of structures against a reference set: the work of `dismai evaluate`."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dismai.datasets.spec import DatasetSpec
from dismai.evaluation.process import load_generated, process
from dismai.evaluation.score import score
from dismai.io import read_frames
from dismai.metrics.clusters import published_expansion
from dismai.postprocess.on_lattice import Alignment
from dismai.reference import Reference, load_built, load_shipped
from dismai.report.tables import published_numbers
from dismai.resources import resource


@dataclass(frozen=True)
class Evaluation:
    """Metrics (one row each), what became of every structure, and the card of the reference."""

    metrics: pd.DataFrame
    fates: pd.DataFrame
    spec: DatasetSpec
    is_paper_size: bool

    def rejections(self) -> list[tuple[str, int]]:
        """Reasons of rejection, most frequent first, with the number of structures."""
        rejected = self.fates[self.fates["status"] == "rejected"]
        return Counter(rejected["reason"]).most_common()


def load_reference(dataset: str, path: Path | None) -> Reference:
    """The shipped reference of a dataset, or that of training structures in a file."""
    if path is not None:
        return load_built(path, published_expansion())
    return load_shipped(dataset, published_expansion())


def evaluate_file(
    path: Path,
    dataset: str,
    reference: Path | None = None,
    align: Alignment = "none",
    n_generated: int | None = None,
) -> Evaluation:
    """Clean, describe and score the structures of a file.

    Args:
        path: file or folder of structures.
        dataset: name of the dataset they imitate.
        reference: training structures with their card beside; the shipped set by default.
        align: how alloys are laid on the lattice.
        n_generated: structures that were generated; the number in the file by default.

    Raises:
        InputError: nothing readable, more structures than generated, or no such reference.
    """
    expected = load_reference(dataset, reference)
    count = n_generated or len(read_frames(path, range(0)))
    structures = load_generated(path, count)
    result = process(structures, expected.spec, align, published_expansion())
    names = (dataset, path.name, "file", 0)
    metrics = score(result.features, result.fates, expected.train, *names)
    metrics = metrics.merge(_noise_floor(expected, dataset), on="metric", how="left")
    metrics = metrics.merge(_published(dataset), on="metric", how="left")
    metrics["published"] = metrics["published"].fillna("")
    return Evaluation(metrics, result.fates, expected.spec, expected.spec.n_atoms == 256)


def _noise_floor(reference: Reference, dataset: str) -> pd.DataFrame:
    """The same metrics of the held-out structures."""
    if reference.held_out is None:
        return pd.DataFrame({"metric": [], "noise_floor": []})
    fates = pd.DataFrame({"structure": reference.held_out["structure"], "status": "accepted"})
    table = score(reference.held_out, fates, reference.train, dataset, "held_out", "baseline", 0)
    return table[["metric", "value"]].rename(columns={"value": "noise_floor"})


def _published(dataset: str) -> pd.DataFrame:
    """Published means of every model, in one cell a metric."""
    table = published_numbers(resource("published.csv"))
    table = table[table["dataset"] == dataset]
    cells = {
        metric: ", ".join(f"{row.model} {row.published_mean:.3g}" for row in rows.itertuples())
        for metric, rows in table.groupby("metric", sort=False)
    }
    return pd.DataFrame({"metric": list(cells), "published": list(cells.values())})


def to_text(evaluation: Evaluation) -> str:
    """The evaluation as lines for a terminal."""
    first = evaluation.metrics.iloc[0]
    spec = evaluation.spec
    lines = [
        f"{first['model']} against {first['dataset']} ({spec.n_train} training structures of "
        f"{spec.n_atoms} atoms): {first['n_accepted']} of {first['n_generated']} accepted",
        "",
        f"{'metric':34s} {'value':>9s} {'95 % interval':>21s} {'noise floor':>12s}  unit"
        "       published",
    ]
    for row in evaluation.metrics.itertuples():
        interval = f"[{row.ci_low:.4g}, {row.ci_high:.4g}]"
        lines.append(
            f"{row.metric:34s} {row.value:9.4g} {interval:>21s} {row.noise_floor:12.4g}  "
            f"{row.unit:9s}  {row.published}".rstrip()
        )
    rejections = evaluation.rejections()
    if rejections:
        lines += ["", "rejected:"]
        lines += [f"  {count:5d}  {reason}" for reason, count in rejections[:10]]
        if len(rejections) > 10:
            lines.append(f"         and {len(rejections) - 10} other reasons")
    if not evaluation.is_paper_size:
        lines += ["", "The published values belong to 256 atoms; other sizes do not compare."]
    return "\n".join(lines)
