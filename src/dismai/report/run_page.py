"""The page of a run: one HTML file that opens offline and answers five questions in order."""

from collections.abc import Callable
from datetime import date
from html import escape
from pathlib import Path

import pandas as pd

from dismai import __version__
from dismai.base.atomic import sha256, write_atomically
from dismai.base.kinds import KINDS, VIEW, Kind
from dismai.base.resources import resource
from dismai.evaluation.process import STAGES
from dismai.evaluation.ranking import BASELINE, ranking
from dismai.evaluation.runs import published_run
from dismai.metrics.entries import FEWEST_STRUCTURES, METRICS
from dismai.report.cost import CORE_W, MEMORY_W_PER_GB, OVERHEAD, cost_of
from dismai.report.document import POLICY, document
from dismai.report.drawings import OF_ALL_KINDS
from dismai.report.figures import plot_datasets
from dismai.report.page import svg_text
from dismai.report.ranking import plot_spider, ranking_notes, readable_ranking, span
from dismai.report.run_files import RunFiles
from dismai.report.run_studies import studies_section, study_tables
from dismai.report.style import swatches
from dismai.report.tables import HEADINGS, footnotes, html_table, readable_tables
from dismai.report.themes import themed, title_of
from dismai.report.viewer import (
    controls,
    generated_entries,
    region,
    scripts,
    training_entries,
)

MOST_REASONS = 25
SMALL_SET = 300
"""A run that generates fewer structures a set says little about a model."""


def write_run_page(folder: Path, out: Path | None = None) -> Path:
    """Write the page of a folder of results; its path, by default `report.html` in the folder.

    Raises:
        InputError: the folder holds no results of the workflow.
    """
    path = (Path(folder) / "report.html") if out is None else Path(out)
    write_atomically(path, run_page(RunFiles(folder), date.today().isoformat()))
    return path


def run_page(run: RunFiles, made: str) -> str:
    """The page as HTML text.  made: date of the page."""
    name = str(run.config.get("run", run.folder.name))
    sections = {
        "leader": ("Which model leads, and how sure is that?", _leader),
        "datasets": ("What does each dataset look like?", _datasets),
        "failures": ("Why did structures fail?", _failures),
        "cost": ("What did it cost?", _cost),
        "studies": ("What do the studies of the paper show here?", _studies),
        "again": ("How to get every number again", _again),
    }
    if not study_tables(run.folder):
        del sections["studies"]
    body = "".join(
        f'<section aria-labelledby="{key}"><h2 id="{key}">{title}</h2>{make(run)}</section>'
        for key, (title, make) in sections.items()
    )
    contents = "".join(
        f'<li><a href="#{key}">{title}</a></li>' for key, (title, _) in sections.items()
    )
    title = f"Dismai-Bench, run {name}"
    page = (
        '<a class="skip" href="#leader">To the results</a>'
        f"<header><h1>{escape(title)}</h1><p class=soft>{_size(run)}</p>{_warning(run)}"
        f'<nav aria-label="Contents"><ol>{contents}</ol></nav></header>\n<main>{body}</main>\n'
        f"<footer>Written by dismai {__version__} on {escape(made)}. 3D by 3Dmol.js "
        "(BSD-3-Clause).</footer>\n"
        f"{_scripts(run)}"
    )
    style = resource("page/run.css").read_text(encoding="utf-8")
    return document(title, style, page, POLICY)


def _size(run: RunFiles) -> str:
    kinds = run.metrics.drop_duplicates(["dataset", "model", "seed"])
    n_own = int((kinds["kind"] != BASELINE).sum())
    n_structures = int(kinds["n_generated"].sum())
    return (
        f"{len(run.cards)} datasets, {n_own} sets of models and {len(kinds) - n_own} of trivial "
        f"baselines, {n_structures} generated structures."
    )


def _warning(run: RunFiles) -> str:
    """What keeps the numbers from being a benchmark, if anything does."""
    own = run.metrics[run.metrics["kind"] != BASELINE]
    small = int(own["n_generated"].min()) if len(own) else 0
    if small >= SMALL_SET:
        return ""
    return (
        f'<p class="warn"><strong>Not a benchmark:</strong> as few as {small} structures of a '
        "model were generated (the paper: 1000). The numbers show that everything works; they say "
        "little about the models.</p>"
    )


def _leader(run: RunFiles) -> str:
    table = run.ranking
    own = table[(table["kind"] != BASELINE) & table["place"].notna()]
    if len(own) == 0:
        said = f"No model has a rank: none has {FEWEST_STRUCTURES} accepted structures anywhere."
    else:
        said = _sentence(own, len(run.cards))
    spider = _figure(
        themed(svg_text(plot_spider(table)), "Ranks of the models on every dataset"),
        "Ranks on every dataset, the first outside. Hollow: not ranked there, and so last.",
        small=True,
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in ranking_notes(table))
    shown = readable_ranking(table)
    shown.attrs["caption"] = "Places over all datasets, and ranks on each"
    return (
        f'<p class="lead">{said}</p>{html_table(shown, swatches=_swatches(run))}'
        f"<ul class=soft>{notes}</ul>{spider}{_published(run)}"
    )


def _published(run: RunFiles) -> str:
    """The values of the paper ranked by the same rule, on the datasets that the run shares."""
    metrics = published_run()
    shared = {name: run.headlines[name] for name in run.cards if name in set(metrics["dataset"])}
    if not shared:
        return ""
    shown = readable_ranking(ranking(metrics, shared))
    shown.attrs["caption"] = f"Published values on {len(shared)} datasets"
    return (
        "<details><summary>The published values by the same rule</summary>"
        f"{html_table(shown, swatches=_swatches(run))}</details>"
    )


def _sentence(own: pd.DataFrame, n_datasets: int) -> str:
    """Who leads, and how sure that is."""
    first = own[own["place"] == 1]
    bold = [f"<strong>{escape(name)}</strong>" for name in first["model"]]
    names = " and ".join(filter(None, [", ".join(bold[:-1]), bold[-1]]))
    row = first.iloc[0]
    sure = f"In 95 % of the resamples its place is {span(row['place_low'], row['place_high'])}"
    if len(first) > 1:
        notes = [f"{row.model}: {row.note}" for row in first.itertuples() if row.note]
        lacking = f" ({escape(', '.join(notes))})" if notes else ""
        return f"{names} share the first place over {n_datasets} datasets{lacking}."
    tied = f"; it is tied with {escape(row['tied'].replace(';', ','))}" if row["tied"] else ""
    missing = f" ({escape(row['note'])})" if row["note"] else ""
    return (
        f"{names} leads over {n_datasets} datasets with a mean rank of {row['mean_rank']:.3g}"
        f"{missing}. {sure}{tied}."
    )


def _datasets(run: RunFiles) -> str:
    folders = [run.folder / "datasets" / name for name in run.cards]
    cards, train = ([one / name for one in folders] for name in ("card.json", "train.extxyz"))
    caption = "A training structure of every dataset."
    together = _figure(themed(svg_text(plot_datasets(cards, train)), caption), caption)
    return together + controls() + "".join(_dataset(run, name) for name in run.cards)


def _dataset(run: RunFiles, name: str) -> str:
    card = run.cards[name]
    kind = KINDS[card.kind]
    table = run.table(name)
    parts = readable_tables(table, HEADINGS[card.kind])
    parts[0].attrs["caption"] = f"Metrics of {name}, the published values beside"
    looks = _swatches(run)
    tables = "".join(html_table(part, swatches=looks) for part in parts)
    notes = "".join(f"<li>{escape(note)}</li>" for note in footnotes(table, HEADINGS[card.kind]))
    figures = "".join(_kept_figure(path, kind, name) for path in run.figures(name).values())
    about = "".join(f"<li>{escape(note)}</li>" for note in card.notes)
    return (
        f'<h3 id="set-{escape(name)}">{escape(name)}</h3><p>{escape(kind.label.capitalize())}: '
        f"{card.n_train} training and {card.n_val} held-out structures of {card.size}. "
        f"Headline metric: {kind.headline} ({escape(METRICS[kind.headline].label)}). <button "
        f'type="button" data-show="{escape(name)}">Show in 3D</button></p>{tables}'
        f"<ul class=soft>{notes}</ul><details><summary>About this dataset</summary>"
        f"<ul>{about}</ul></details>"
        f"<details open><summary>Figures of {escape(name)}</summary>{figures}</details>"
    )


def _failures(run: RunFiles) -> str:
    stages = run.stages()
    lost = stages[list(STAGES)].sum(axis=1)
    if lost.sum() == 0:
        return "<p>No structure failed.</p>"
    rows = []
    for (dataset, model), row in stages[lost > 0].iterrows():
        total = int(row.sum())
        percent = {stage: f"{100 * row[stage] / total:.3g}" for stage in STAGES}
        failed = {"failed (%)": f"{100 * (1 - row['accepted'] / total):.3g}"}
        stages_of = {f"failed: {stage} (%)": percent[stage] for stage in STAGES}
        rows.append({"dataset": dataset, "model": model, "generated": total, **failed, **stages_of})
    table = pd.DataFrame(rows)
    table.attrs["caption"] = "Where structures fail, in percent of those generated, over all seeds"
    reasons = run.reasons()
    shown = reasons.head(MOST_REASONS)[["count", "dataset", "model", "stage", "reason"]]
    shown.attrs["caption"] = "Most frequent reasons; # stands for a number"
    more = len(reasons) - len(shown)
    rest = f"<p>{more} rarer reasons are in the fates.parquet of the sets.</p>" if more > 0 else ""
    looks = _swatches(run)
    return html_table(table, swatches=looks) + html_table(shown, swatches=looks) + rest


def _studies(run: RunFiles) -> str:
    def figure(path: Path, dataset: str) -> str:
        svg = path.read_text(encoding="utf-8")
        caption = f"{dataset}: {title_of(svg) or path.stem}"
        return _figure(themed(svg, caption), caption)

    return studies_section(run.folder, figure)


def _cost(run: RunFiles) -> str:
    cost = cost_of(run.folder)
    if len(cost) == 0:
        return "<p>No benchmarks of jobs lie in the folder: nothing is known.</p>"
    total = cost.drop(columns="rule").sum()
    names = {
        "hours": "hours",
        "processor_hours": "processor hours",
        "memory_GB_hours": "GB hours of memory",
        "energy_kWh": "energy (kWh), estimate",
    }
    shown = pd.DataFrame(
        [
            {"rule": row.rule, "jobs": row.jobs}
            | {label: f"{getattr(row, name):.3g}" for name, label in names.items()}
            for row in cost.itertuples()
        ]
    )
    shown.attrs["caption"] = "By rule, the last run of every job"
    return (
        f"<p>{total['jobs']:.0f} jobs took {total['processor_hours']:.3g} processor hours "
        f"({total['hours']:.3g} hours one after another), and by estimate "
        f"<strong>{total['energy_kWh']:.2g} kWh</strong>.</p>{html_table(shown)}"
        f"<p class=soft>Energy: {CORE_W:g} W for a busy processor core and {MEMORY_W_PER_GB:g} W "
        f"for a GB of memory, times {OVERHEAD:g} for the data centre (Lannelongue et al. 2021, doi "
        "10.1002/advs.202100707). The records hold no graphics processors: where one was used add "
        "its power times the hours of train_model, generate_structures and process_in_network. "
        "Jobs that were killed or run again are not counted.</p>"
    )


def _again(run: RunFiles) -> str:
    config = run.folder / "config.yaml"
    environment = run.folder / "environment.txt"
    packages = environment.read_text(encoding="utf-8") if environment.is_file() else "not recorded"
    hashes = [config, *sorted((run.folder / "datasets").glob("*/*.extxyz"))]
    hashes += sorted((run.folder / "datasets").glob("*/card.json"))
    hashes += sorted((run.folder / "models").glob("*/*/*/model.safetensors"))
    hashes += sorted((run.folder / "metrics").glob("*/*/*.parquet"))
    listed = "\n".join(f"{sha256(path)}  {path.relative_to(run.folder)}" for path in hashes)
    command = (
        "snakemake all --configfile config.yaml --profile profiles/local\n"
        f"dismai report results/{run.config.get('run', run.folder.name)}\n"
        f"dismai validate results/{run.config.get('run', run.folder.name)}"
    )
    return (
        "<p>The configuration below, written to config.yaml beside the workflow, makes the same "
        "files; seeds follow from names, so that the same versions on the same kind of machine "
        f"give the same numbers.</p><pre tabindex=0>{escape(command)}</pre>"
        + _fold("Configuration", config.read_text(encoding="utf-8"))
        + _fold("Versions", packages)
        + _fold(f"SHA-256 of {len(hashes)} files", listed)
    )


def _fold(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary><pre tabindex=0>{escape(text)}</pre></details>"


def _figure(svg: str, caption: str, small: bool = False) -> str:
    kind = ' class="small"' if small else ""
    return (
        f'<figure{kind}><div class="wide" tabindex="0" role="group" '
        f'aria-label="{escape(caption)}">{svg}</div><figcaption>{escape(caption)}</figcaption></figure>'
    )


def _kept_figure(path: Path, kind: Kind, dataset: str) -> str:
    """A figure of the workflow with what its kind says below it, or with its own title."""
    svg = path.read_text(encoding="utf-8")
    captions = {name: drawing.caption for name, drawing in kind.pictures.items()} | OF_ALL_KINDS
    caption = f"{dataset}: {captions.get(path.stem) or title_of(svg) or path.stem}"
    return _figure(themed(svg, caption), caption)


def _swatches(run: RunFiles) -> Callable[[str], str]:
    return swatches([*run.models, *run.metrics["model"].unique()])


def _scripts(run: RunFiles) -> str:
    """Structures, the library that draws them and the script that joins both."""
    datasets, species = {}, set()
    for name, card in run.cards.items():
        folder = run.folder / "datasets" / name
        structures = training_entries(folder, card)
        for one in run.sets:
            if one.dataset == name:
                label = one.model if one.seed == 0 else f"{one.model}, seed {one.seed}"
                structures += generated_entries(one.folder, label, card)
        species |= {symbol for entry in structures for symbol in entry["symbols"]}
        heights = region(folder, card)
        marks = {"lattice": KINDS[card.kind].on_fcc, "region": heights}
        marks["upright"] = KINDS[card.kind].view != VIEW
        datasets[name] = {"structures": structures, **marks}
    return scripts(datasets, species)
