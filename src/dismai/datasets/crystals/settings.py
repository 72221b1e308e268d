"""Configuration of crystals of any composition. No heavy imports."""

from typing import Literal

from pydantic import Field, model_validator

from dismai.base.section import Section
from dismai.datasets.ready_made import leaves_both_parts
from dismai.dft.settings import Protocol


class CrystalsDataset(Section):
    """Crystals of any composition, each in a cell of its own."""

    kind: Literal["crystals"]
    source: str = Field(
        "resources/crystals/aflow_cifs.zip",
        description="folder, zip or tar of CIFs, CSV with a column `cif`, the CrysTens paper's "
        "dictionary (.json, .jsonl), or extended XYZ",
    )
    origin: str = Field("", description="where the crystals come from, and their licence")
    leave_out: str | None = Field(
        None,
        description="CSV with columns `label` (name of a file without its ending) and `flag`: a "
        "crystal with a flag is left out, the flag is the reason",
    )
    max_atoms: int = Field(52, ge=1, description="atoms of the largest cell")
    conventional: bool = Field(
        True, description="standard conventional cells, as published; false: cells as given"
    )
    symprec_A: float = Field(0.01, gt=0, description="distance within which sites are equivalent")
    closest: float = Field(
        0.6, ge=0, description="least distance of two atoms, in units of their covalent radii"
    )
    n_structures: int = Field(
        1340, ge=2, description="training and validation crystals, drawn from the accepted ones"
    )
    validation_share: float = Field(
        0.1, gt=0, lt=1, description="share held out, in whole groups of one formula and group"
    )
    _leaves_both_parts = model_validator(mode="after")(leaves_both_parts)


class CrystensStudy(Section):
    """Stability of generated crystals, and the best of them under the engine of `dft`."""

    potential: str = Field(
        "chgnet", description="name under potentials: energies of phases and of crystals"
    )
    n_candidates: int = Field(
        35, ge=1, description="crystals of lowest formation energy that are chosen from"
    )
    n_selected: int = Field(
        6, ge=0, description="of them, one a formula, that the engine of dft relaxes"
    )
    tidy_A: float = Field(
        0.1, gt=0, description="distance within which the chosen ones are made symmetric"
    )
    protocol: Protocol = Field(Protocol(), description="how they are relaxed")
