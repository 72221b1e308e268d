"""The structures of an evaluation in 3D: a page of its own, so that the report needs no script."""

from html import escape

from dismai.base.kinds import KINDS, VIEW
from dismai.base.resources import resource
from dismai.evaluation.file import Evaluation
from dismai.report.document import POLICY, document
from dismai.report.viewer import controls, entry, scripts


def structures_page(evaluation: Evaluation) -> str:
    """The page as HTML text: the first accepted structure in every state, the first rejected."""
    spec, kind = evaluation.spec, KINDS[evaluation.spec.kind]
    name = str(evaluation.metrics["model"].iloc[0])
    structures = [
        {"set": name, "state": one.state, "number": one.number, "why": one.why}
        | entry(one.atoms, spec)
        for one in evaluation.shown
    ]
    species = {symbol for one in structures for symbol in one["symbols"]}
    marks = {"lattice": kind.on_fcc, "region": None, "upright": kind.view != VIEW}
    title = f"Structures of {name}"
    body = (
        f"<header><h1>{escape(title)}</h1>"
        '<p><a href="report.html">Back to the numbers</a></p></header>\n'
        f"<main>{controls(2)}</main>\n<footer>3D by 3Dmol.js (BSD-3-Clause).</footer>\n"
        f"{scripts({spec.name: {'structures': structures, **marks}}, species)}"
    )
    style = resource("page/run.css").read_text(encoding="utf-8")
    return document(title, style, body, POLICY)
