"""The reference of the Python functions, from their signatures and docstrings (`make schema`)."""

import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from dismai.base.text import between

MARKS = ("<!-- reference: begin -->\n", "<!-- reference: end -->\n")
"""The reference stands between these lines of docs/python.md."""
PUBLIC = {
    "dismai": ("evaluate", "Result", "dataset"),
    "dismai.metrics": ("Featurizer",),
    "dismai.metrics.crystalnn": (
        "neighbors",
        "neighbor_list",
        "coordination_likelihoods",
        "fingerprints",
        "feature_names",
        "Settings",
        "Preset",
    ),
    "dismai.metrics.rdf": ("rdf",),
    "dismai.metrics.angles": ("bond_angles",),
    "dismai.metrics.motifs": ("motif_shares",),
    "dismai.metrics.network": ("bond_network", "coordination_shares"),
    "dismai.metrics.rings": ("ring_counts",),
    "dismai.metrics.structure_factor": ("structure_factor",),
    "dismai.metrics.clusters": ("warren_cowley", "formation_energy"),
    "dismai.metrics.sets": ("mmd", "fidelity", "coverage", "diversity", "memorisation"),
}
"""What others may build on, by module."""


def reference() -> str:
    """All public functions and classes as Markdown."""
    return "\n".join(_entries())


def _entries() -> Iterator[str]:
    for module, names in PUBLIC.items():
        for name in names:
            thing = getattr(import_module(module), name)
            yield f"### {module}.{name}\n\n```text\n{_signature(name, thing)}\n"
            yield f"{inspect.getdoc(thing)}\n```\n"


def _signature(name: str, thing: object) -> str:
    """A call with the names and the defaults of its arguments, 88 columns wide at most."""
    empty = inspect.Parameter.empty
    words = []
    for parameter in inspect.signature(thing).parameters.values():
        default = parameter.default
        shown = "" if default is empty else f"={default!r}" if _plain(default) else "=..."
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and "*" not in words:
            words.append("*")
        words.append(f"{parameter.name}{shown}")
    line = f"{name}({', '.join(words)})"
    return line if len(line) <= 88 else f"{name}(\n    " + ",\n    ".join(words) + ",\n)"


def _plain(value: object) -> bool:
    return value is None or isinstance(value, (bool, int, float, str, tuple))


def documented(text: str) -> str:
    """A page with the reference between its marks brought up to date."""
    return between(text, MARKS, reference())


if __name__ == "__main__":
    if [Path(word).suffix for word in sys.argv[1:]] != [".md"]:
        sys.exit("usage: python -m dismai.pipeline.api_docs PAGE.md")
    page = Path(sys.argv[1])
    page.write_text(documented(page.read_text()))
