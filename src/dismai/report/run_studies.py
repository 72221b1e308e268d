"""The studies of a run on its page: their tables, what the paper states, their figures."""

from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dismai.files.structures import read_table
from dismai.report import study_ablation, study_gan, study_interface
from dismai.report.study import HELD, INTERVALS, readable_statements, readable_study
from dismai.report.tables import html_table


class Study(NamedTuple):
    """What a study is called, and the headings of its numbers."""

    title: str
    headings: Mapping[str, str]


STUDIES = {
    "gan": Study("CryinGAN: critics, weights, trainings", study_gan.HEADINGS),
    "ablation": Study("What the paper left off, and sampling steps", study_ablation.HEADINGS),
    "interface": Study("Generated interfaces looked at closely", study_interface.HEADINGS),
}
"""By the names of their files, in the order of the page."""


def study_tables(folder: Path) -> list[tuple[str, str, Path]]:
    """Dataset, study and table of every study that a folder of results holds."""
    found = []
    for name in STUDIES:
        paths = sorted((folder / "tables" / "studies").glob(f"*/{name}.parquet"))
        found += [(path.parent.name, name, path) for path in paths]
    return found


def studies_section(folder: Path, figure: Callable[[Path, str], str]) -> str:
    """All studies as HTML.

    Args:
        folder: of results.
        figure: HTML of a figure with a fallback for its caption.
    """
    parts = []
    for dataset, name, path in study_tables(folder):
        study = STUDIES[name]
        tables = readable_study(read_table(path), study.headings)
        statements = path.with_name(f"{name}_statements.csv")
        if statements.is_file():
            tables.append(readable_statements(pd.read_csv(statements), study.headings))
        pictures = sorted((folder / "figures" / "studies" / dataset).glob(f"{name}_*.svg"))
        parts.append(
            f"<h3>{escape(study.title)}: {escape(dataset)}</h3>"
            + "".join(map(html_table, tables))
            + f"<ul class=soft><li>{escape(INTERVALS)}</li><li>{escape(HELD)}</li></ul>"
            + "".join(figure(picture, dataset) for picture in pictures)
        )
    return "".join(parts)
