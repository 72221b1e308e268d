"""Schema and documentation of the configuration, made from its sections."""

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from dismai.config import Baselines, Config, Selection
from dismai.datasets.settings import (
    Alloy,
    AlloyDataset,
    AmorphousSiDataset,
    BulkSi,
    MeltQuench,
    Stage,
)
from dismai.dft.settings import Dft, Gpaw, Labels, PotentialStudy, Surrogate, Vasp
from dismai.models.settings import CommandModel, FileModel, TrainedModel
from dismai.potentials.m3gnet.settings import M3gnet
from dismai.potentials.settings import (
    AsePotential,
    ChgnetPotential,
    GapFit,
    GapPotential,
    M3gnetPotential,
    Relaxation,
    SwPotential,
)

SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("", Config),
    ("alloy", Alloy),
    ("amorphous_si", BulkSi),
    ("amorphous_si.melt_quench", MeltQuench),
    ("amorphous_si.melt_quench.stages[]", Stage),
    ("datasets.NAME (kind: alloy)", AlloyDataset),
    ("datasets.NAME (kind: amorphous_si)", AmorphousSiDataset),
    ("models.NAME (trained)", TrainedModel),
    ("models.NAME (kind: file)", FileModel),
    ("models.NAME (kind: command)", CommandModel),
    ("potentials.NAME (kind: gap)", GapPotential),
    ("potentials.NAME.fit", GapFit),
    ("potentials.NAME (kind: sw)", SwPotential),
    ("potentials.NAME (kind: chgnet)", ChgnetPotential),
    ("potentials.NAME (kind: m3gnet)", M3gnetPotential),
    ("potentials.NAME.train (kind: m3gnet)", M3gnet),
    ("potentials.NAME (kind: ase)", AsePotential),
    ("relaxation", Relaxation),
    ("dft", Dft),
    ("dft.surrogate", Surrogate),
    ("dft.gpaw", Gpaw),
    ("dft.vasp", Vasp),
    ("labels", Labels),
    ("study_potential", PotentialStudy),
    ("baselines", Baselines),
    ("runs[]", Selection),
)
HEADER = """# Configuration

Made from `src/dismai/config.py` by `make schema`; `config/schema.json` is the same for editors.
`config/config.yaml` is paper scale; `--configfile` overlays unite mappings and replace lists. A
wrong key, type or value stops before any job, with one line: key, expected, found.
Hyperparameters (`models.NAME.params`) are those of the architecture: see [models](models.md).
"""


def _kind(section: type[BaseModel], name: str) -> str:
    """Type of a field in words, from the schema."""
    entry = section.model_json_schema()["properties"][name]
    options = entry.get("anyOf", [entry])
    if "enum" in entry:
        return " or ".join(map(str, entry["enum"]))
    return " or ".join(option.get("type", "section") for option in options)


def schema() -> str:
    """JSON schema of the whole configuration."""
    return json.dumps(Config.model_json_schema(), indent=2) + "\n"


def documentation() -> str:
    """One table a section: key, type, default, meaning."""
    parts = [HEADER]
    for title, section in SECTIONS:
        rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
        for name, field in section.model_fields.items():
            default = "required" if field.is_required() else "see its section"
            if field.default_factory is not None:
                default = "none"
            elif not field.is_required() and not isinstance(field.default, BaseModel):
                default = f"`{field.default!r}`"
            kind = _kind(section, name)
            rows.append(f"| `{name}` | {kind} | {default} | {field.description or ''} |")
        summary = (section.__doc__ or "").strip().splitlines()[0]
        parts.append(f"## {title or 'top level'}\n\n{summary}\n\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(schema())
    Path(sys.argv[2]).write_text(documentation())
