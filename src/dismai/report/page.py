"""One self-contained HTML page about one evaluated set; nothing in it comes from outside."""

import io
import json
from html import escape

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dismai import __version__
from dismai.base.kinds import KINDS
from dismai.datasets.published import MARK
from dismai.evaluation.file import UNRELAXED, Evaluation
from dismai.evaluation.reference import reference_digest
from dismai.evaluation.trivial import LABELS, trivial_of, verdict
from dismai.metrics.entries import METRICS
from dismai.report.document import document
from dismai.report.drawings import drawings_of
from dismai.report.figures import plot_structures
from dismai.report.style import same_bytes
from dismai.report.themes import themed

MAX_FATES = 200
"""Rejected structures listed one by one; all are in fates.parquet."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c2733; --soft: #4a5866; --page: #ffffff;
  --card: #f4f6f8; --line: #d5dce2; --link: #0b5cad; --note: #fff8e5; --note-line: #b98a1b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7ecf1; --soft: #aeb9c4; --page: #14191f; --card: #1e262e; --line: #3a4651;
    --link: #7ab8ff; --note: #2c2713; --note-line: #d9ad45; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 1180px; margin: 2.5em auto; padding: 0 1.5em; }
a { color: var(--link); }
h1 { font-size: 1.6em; margin: 0 0 .2em; overflow-wrap: anywhere; }
h2 { font-size: 1.2em; margin: 2.2em 0 .6em; }
p.lead { color: var(--soft); margin-top: 0; } p.verdict { font-size: 1.15em; max-width: 75ch; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 5px 8px; text-align: left; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { background: var(--card); font-weight: 600; }
td.number, th.number { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
td.name { font-family: ui-monospace, monospace; font-size: 13px; }
td.what { min-width: 10em; color: var(--soft); font-size: 13px; }
td.small { color: var(--soft); font-size: 13px; min-width: 14em; }
ul.notes { background: var(--note); border-left: 4px solid var(--note-line);
  padding: .7em 1em .7em 2em; }
figure { margin: 1.4em 0 2em; }
figure svg { max-width: 100%; height: auto; color: var(--ink); fill: currentColor; }
figcaption { color: var(--soft); font-size: 14px; }
.tiles { display: flex; gap: 1em; flex-wrap: wrap; margin: 1.2em 0; }
.tile { border: 1px solid var(--line); border-radius: 8px; padding: .6em 1.1em; min-width: 8em; }
.tile b { display: block; font-size: 1.5em; } .tile span { color: var(--soft); font-size: 13px; }
footer { color: var(--soft); font-size: 13px; margin: 3em 0 1em; }
footer dl { display: grid; grid-template-columns: max-content 1fr; gap: .2em 1em; }
footer dt { font-weight: 600; } footer dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } td.differs { color: var(--soft); font-style: italic; }
@media (max-width: 640px) {
  body { padding: 0 1em; margin: 1.2em auto; } figure svg { min-width: 560px; }
  .what { display: none; }
  td.name { min-width: 11em; font-size: 12px; overflow-wrap: anywhere; }
  .stacked th { display: none; } .stacked td { display: block; border: 0; padding: 2px 0; }
  .stacked td:first-child { padding-top: 9px; }
  .stacked td:last-child { border-bottom: 1px solid var(--line); padding-bottom: 9px; }
  .stacked td[data-is]::before { content: attr(data-is) ": "; color: var(--soft); }
  footer dl { grid-template-columns: 1fr; } footer dd { margin-bottom: .5em; } }
@media print { :root { color-scheme: light; --ink: #000; --soft: #333; --page: #fff; --card: #fff;
  --line: #ccc; --note: #fff; } figure, tr { break-inside: avoid; } }
"""


def page(
    evaluation: Evaluation,
    command: str | None = None,
    made: str | None = None,
    structures: str | None = None,
) -> str:
    """The page as HTML text; the same evaluation gives the same text.

    command: as it was typed.  made: date, for the last lines.  structures: name of the page of
    the structures in 3D, if it lies beside.
    """
    first, spec = evaluation.metrics.iloc[0], evaluation.spec
    sets = {str(first["model"]): evaluation.features}
    title = f"{first['model']} against {spec.name}"
    figures = "".join(
        _captioned(figure, caption) for _, caption, figure in drawings_of(evaluation, sets)
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in evaluation.notes)
    body = (
        f"<main><h1>{escape(title)}</h1>\n"
        '<p class="lead">Dismai-Bench: how well generated structures reproduce the disorder of '
        "the training set.</p>\n"
        f'<p class="verdict">{escape(verdict(evaluation))}</p>\n'
        f'<div class="tiles">{_tiles(evaluation)}</div>\n<ul class="notes">{notes}</ul>\n'
        f"<h2>Metrics</h2>\n{_metrics(evaluation)}\n"
        f"<h2>Structures</h2>\n{_pictures(evaluation, structures)}\n"
        f"<h2>Figures</h2>\n{figures}\n"
        f"<h2>What became of the structures</h2>\n{_fates(evaluation)}\n"
        f"<h2>What each metric does not see</h2>\n{_explanations(evaluation.metrics)}</main>\n"
        f"<footer>{_origin(evaluation, command, made)}</footer>\n"
    )
    return document(title, STYLE, body)


def _tiles(evaluation: Evaluation) -> str:
    """Boxes of a number and what it is: accepted structures, headline metric, training set."""
    first, spec = evaluation.metrics.iloc[0], evaluation.spec
    tiles = [(f"{first['n_accepted']} of {first['n_generated']}", "structures accepted")]
    if (headline := evaluation.headline) is not None:
        name = headline["metric"]
        tiles += [
            (number_text(headline["value"]), f"{name} ({METRICS[name].best_text})"),
            (number_text(headline["noise_floor"]), "noise floor of the same"),
        ]
        trivial, values = trivial_of(evaluation)
        tiles += [(number_text(values.get(name)), LABELS[trivial])] if trivial else []
    tiles.append((str(spec.n_train), f"training structures of {spec.size}"))
    return "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(label)}</span></div>'
        for value, label in tiles
    )


def svg_text(figure: Figure) -> str:
    """A figure as the text of an SVG file; the same figure gives the same text."""
    stream = io.StringIO()
    with same_bytes():
        described = {"Date": None, "Title": figure.get_label()}
        figure.savefig(stream, format="svg", metadata=described)
    return stream.getvalue()


def _wide(content: str) -> str:
    """A table or picture that scrolls by itself where the window is narrower, by keys too."""
    return f'<div class="wide" tabindex="0">{content}</div>'


def _captioned(figure: Figure, caption: str) -> str:
    drawn = _wide(themed(svg_text(figure), caption))
    return f"<figure>{drawn}<figcaption>{escape(caption)}</figcaption></figure>"


def _metrics(evaluation: Evaluation) -> str:
    n = evaluation.n_accepted
    relaxed = UNRELAXED in evaluation.metrics
    trivial, values = trivial_of(evaluation)
    of_trivial = f'<th class=number title="{LABELS[trivial]}">trivial</th>' if trivial else ""
    unrelaxed = "<th class=number>before relaxation</th>" if relaxed else ""
    head = (
        f"<tr><th>metric</th><th class=what>what</th><th class=number>value (n = {n})</th>"
        f"<th class=number>95 % interval</th>{unrelaxed}<th class=number>noise floor</th>"
        f"{of_trivial}"
        "<th class=number>best</th><th>unit</th><th>published</th></tr>"
    )
    why = f' title="does not compare: {escape("; ".join(evaluation.differs))}"'
    differs = f' class="small differs"{why}' if evaluation.differs else ' class="small"'
    mark = f" {MARK}" if evaluation.differs else ""
    rows = []
    for row in evaluation.metrics.itertuples():
        entry = METRICS[row.metric]
        known = np.isfinite(row.value)
        none = "" if known else f' title="{escape(evaluation.why_none(row.metric))}"'
        interval = f"{number_text(row.ci_low)} … {number_text(row.ci_high)}"
        published = escape(row.published) + mark if row.published else ""
        rows.append(
            f'<tr><td class="name">{escape(row.metric)}</td><td class="what">'
            f"{escape(entry.label)}</td><td class=number{none}><b>{number_text(row.value)}</b></td>"
            f"<td class=number>{interval if np.isfinite(row.ci_low) else '–'}</td>"
            f"{f'<td class=number>{number_text(getattr(row, UNRELAXED))}</td>' if relaxed else ''}"
            f"<td class=number>{number_text(row.noise_floor)}</td>"
            f"{f'<td class=number>{number_text(values.get(row.metric))}</td>' if trivial else ''}"
            f"<td class=number>{entry.best_text}</td><td>{escape(entry.shown_unit)}</td>"
            f"<td{differs if published else ''}>{published}</td></tr>"
        )
    arrows = (
        "best: ↓ lower, ↑ higher, → nearest to the value is better. Structures accepted: "
        f"n = {n} of {len(evaluation.fates)}."
    )
    if trivial:
        arrows += f" trivial: {LABELS[trivial]}, scored the same way."
    return _wide(f"<table>{head}{''.join(rows)}</table>") + f"<p>{arrows}</p>"


def _pictures(evaluation: Evaluation, beside: str | None) -> str:
    """Pictures of the first accepted and the first rejected structure, and the way to 3D."""
    chosen = {one.why: one for one in evaluation.shown}  # of each fate the last state
    if not chosen:
        return "<p>No structure that could be read.</p>"
    view = KINDS[evaluation.spec.kind].view
    names = {one.why: f"{one.state}, number {one.number}" for one in chosen.values()}
    figure = plot_structures({names[why]: one.atoms for why, one in chosen.items()}, view)
    rejected = "".join(f" Number {one.number} was rejected: {w}." for w, one in chosen.items() if w)
    caption = f"The first accepted structure, and the first that was rejected, if any.{rejected}"
    link = f'<p><a href="{beside}">Turn them in 3D</a></p>' if beside else ""
    return f"{_captioned(figure, caption)}{link}"


def _origin(evaluation: Evaluation, command: str | None, made: str | None) -> str:
    """Version, command, input and settings, as a list of terms."""
    settings = ", ".join(
        f"{name} {json.dumps(value) if isinstance(value, dict) else value}"
        for name, value in evaluation.settings.items()
        if value is not None
    )
    terms = {
        "Made by": f"dismai evaluate {__version__}" + (f" on {made}" if made else ""),
        "Command": command,
        "Settings": settings,
        "SHA-256 of the structures": evaluation.input_sha256,
        "SHA-256 of the reference": reference_digest(evaluation.reference.train),
        "The same numbers": "metrics.parquet, metrics.json, fates.parquet",
    }
    items = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in terms.items() if text
    )
    return f"<dl>{items}</dl>"


def _fates(evaluation: Evaluation) -> str:
    rejected = evaluation.fates[evaluation.fates["status"] == "rejected"]
    if len(rejected) == 0:
        return f"<p>All {len(evaluation.fates)} were accepted.</p>"
    rows = "".join(
        f"<tr><td class=number>{count}</td><td>{escape(stage)}</td><td>{escape(reason)}</td></tr>"
        for (stage, reason), count in rejected.groupby(["stage", "reason"])
        .size()
        .sort_values(ascending=False, kind="stable")
        .head(MAX_FATES)
        .items()
    )
    n_reasons = len(rejected.drop_duplicates(["stage", "reason"]))
    head = "<tr><th class=number>structures</th><th>stage</th><th>reason</th></tr>"
    more = f"<p>and {n_reasons - MAX_FATES} other reasons</p>" if n_reasons > MAX_FATES else ""
    return (
        f"<p>{len(rejected)} of {len(evaluation.fates)} were rejected:</p>"
        + _wide(f"<table>{head}{rows}</table>")
        + more
    )


def _explanations(table: pd.DataFrame) -> str:
    rows = "".join(
        f'<tr><td class="name">{escape(name)}</td>'
        f'<td data-is="sees">{escape(METRICS[name].sees)}</td>'
        f'<td data-is="is blind to">{escape(METRICS[name].blind)}</td></tr>'
        for name in table["metric"]
    )
    head = "<tr><th>metric</th><th>sees</th><th>is blind to</th></tr>"
    return f'<table class="stacked">{head}{rows}</table>'


def number_text(value: float | None) -> str:
    """A number with four digits; a dash for none."""
    return "–" if value is None or np.isnan(value) else f"{value:.4g}"
