"""Configuration of interatomic potentials and of relaxation. No heavy imports."""

from typing import Annotated, Any, Literal

from pydantic import Field

from dismai.section import Section

POTENTIAL_KINDS = ("gap", "sw", "chgnet", "m3gnet", "ase")


class GapPotential(Section):
    """A Gaussian approximation potential: an XML file with its sparse files beside it."""

    kind: Literal["gap"]
    file: str = Field(description="XML file of the potential")
    sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="checked against the XML file if given"
    )


class SwPotential(Section):
    """Stillinger-Weber silicon with the parameters of Vink et al. 2001 for the amorphous phase."""

    kind: Literal["sw"]


class ChgnetPotential(Section):
    """CHGNet with the weights inside its package."""

    kind: Literal["chgnet"]
    weights: Literal["0.2.0", "0.3.0", "r2scan"] = Field("0.3.0", description="set of weights")


class M3gnetPotential(Section):
    """An M3GNet trained by the workflow."""

    kind: Literal["m3gnet"]
    folder: str = Field(description="folder of the trained model")


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


class Relaxation(Section):
    """How structures are relaxed: positions only, cell fixed, periodic."""

    optimizer: Literal["scipy_cg", "fire", "lbfgs"] = Field(
        "scipy_cg", description="minimiser; the papers' is scipy_cg"
    )
    fmax_eV_per_A: float = Field(
        0.05, gt=0, description="largest force on an atom at which it stops, eV/Å"
    )
    max_steps: int = Field(1000, ge=1, description="steps after which a structure is given up")
