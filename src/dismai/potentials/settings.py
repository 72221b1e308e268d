"""Configuration of interatomic potentials and of relaxation. No heavy imports."""

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, model_validator

from dismai.base.section import Section
from dismai.potentials.m3gnet.settings import M3gnet

POTENTIAL_KINDS = ("gap", "sw", "chgnet", "m3gnet", "ase")
NETWORKS = ("chgnet", "m3gnet")
"""Kinds that compute on a GPU if there is one."""
ENGINE = "engine"
"""In place of the name of a potential: the engine of the section `dft`."""


class GapFit(Section):
    """A SOAP-GAP for silicon, fitted by the workflow to labels of a potential or of an engine.

    Defaults are smaller than those of Bartók et al. 2018: fewer sparse points and basis functions.
    """

    labels: str = Field(
        description="what labels the cells: a name under potentials, or engine for that of dft"
    )
    n_atoms: int = Field(64, ge=8, multiple_of=8, description="atoms per cell")
    n_train: list[PositiveInt] = Field(
        [10, 30, 90], min_length=1, description="cells per fit, ascending; the last is used"
    )
    n_test: int = Field(20, ge=1, description="held-out cells")
    cutoff_A: float = Field(5.0, gt=1, description="reach of the environment, Å")
    atom_sigma_A: float = Field(0.5, gt=0, description="width of the atoms in a SOAP vector, Å")
    n_max: int = Field(8, ge=1, description="radial basis functions")
    l_max: int = Field(6, ge=0, description="largest angular momentum")
    n_sparse: int = Field(300, ge=1, description="environments that span the fit")
    energy_error_eV_per_atom: float = Field(0.002, gt=0, description="expected error of energies")
    force_error_eV_per_A: float = Field(0.05, gt=0, description="expected error of forces")

    @model_validator(mode="after")
    def _sizes_ascend(self):
        if sorted(set(self.n_train)) != self.n_train or self.n_train[0] < 1:
            raise ValueError(f"n_train: expected ascending positive numbers, found {self.n_train}")
        return self


class GapPotential(Section):
    """A Gaussian approximation potential: given files, or fitted by the workflow."""

    kind: Literal["gap"]
    file: str | None = Field(
        None, description="XML file of the potential, its sparse files beside it"
    )
    fit: GapFit | None = Field(None, description="how to fit it, where no file is given")
    sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="checked against the XML file if given"
    )

    @model_validator(mode="after")
    def _file_or_fit(self):
        if (self.file is None) == (self.fit is None):
            raise ValueError("file: expected either file or fit")
        return self


class SwPotential(Section):
    """Stillinger-Weber silicon with the parameters of Vink et al. 2001 for the amorphous phase."""

    kind: Literal["sw"]


class ChgnetPotential(Section):
    """CHGNet with the weights inside its package."""

    kind: Literal["chgnet"]
    weights: Literal["0.2.0", "0.3.0", "r2scan"] = Field("0.3.0", description="set of weights")


class M3gnetPotential(Section):
    """An M3GNet: given as a trained model, or trained by the workflow."""

    kind: Literal["m3gnet"]
    folder: str | None = Field(
        None, description="folder of a trained model, ours or matgl's, or its model.safetensors"
    )
    train: M3gnet | None = Field(None, description="how to train it, where no folder is given")

    @model_validator(mode="after")
    def _folder_or_train(self):
        if (self.folder is None) == (self.train is None):
            raise ValueError("folder: expected either folder or train")
        return self


class AsePotential(Section):
    """Any ASE calculator, made by a function of an installed module."""

    kind: Literal["ase"]
    calculator: str = Field(
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$",
        description="import path module:factory of what makes the calculator",
    )
    params: dict[str, Any] = Field(
        default_factory=dict, description="keyword arguments of the factory"
    )


Potential = Annotated[
    GapPotential | SwPotential | ChgnetPotential | M3gnetPotential | AsePotential,
    Field(discriminator="kind"),
]


class RelaxationSettings(Section):
    """How structures are relaxed: positions only, cell fixed, periodic."""

    optimizer: Literal["scipy_cg", "fire", "lbfgs"] = Field(
        "scipy_cg", description="minimiser; the papers' is scipy_cg"
    )
    fmax_eV_per_A: float = Field(
        0.05, gt=0, description="largest force on an atom at which it stops, eV/Å"
    )
    max_steps: int = Field(1000, ge=1, description="steps after which a structure is given up")
