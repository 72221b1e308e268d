"""Configuration of M3GNet and its training. No heavy imports."""

from typing import Literal

from pydantic import Field, model_validator

from dismai.base.section import Section


class M3gnet(Section):
    """M3GNet trained from scratch on labels; published training, matgl's sizes."""

    dataset: str = Field(
        "interface", description="interface dataset whose random structures are labelled"
    )
    labels: str | None = Field(
        None, description="file of labels made elsewhere: extended XYZ with energy and forces"
    )
    split: Literal["relaxation", "random"] = Field(
        "relaxation",
        description="what the 80/10/10 split keeps together: steps of one relaxation are alike, "
        "so a random split flatters the errors",
    )
    energy_weight: float = Field(1.0, ge=0, description="of the squared error of eV/atom")
    force_weight: float = Field(1.0, ge=0, description="of the squared error of eV/Å")
    stress_weight: float = Field(0.1, ge=0, description="of the squared error of GPa")
    learning_rate: float = Field(1e-3, gt=0, description="of Adam")
    batch: int = Field(4, ge=1, description="structures per step")
    epochs: int = Field(250, ge=1, description="passes over the training labels")
    ema_decay: float = Field(
        0.0, ge=0, lt=1, description="of a moving average of the weights, which is kept; 0: none"
    )
    units: int = Field(64, ge=1, description="width of node and edge features and hidden layers")
    n_blocks: int = Field(3, ge=1, description="graph layers")
    max_n: int = Field(3, ge=1, description="radial functions")
    max_l: int = Field(3, ge=1, description="angular functions")
    cutoff_A: float = Field(5.0, gt=0, description="cutoff of bonds, Å")
    threebody_cutoff_A: float = Field(4.0, gt=0, description="cutoff of bonds in angles, Å")
    validate_every: int = Field(1, ge=1, description="epochs between validations")
    checkpoint_every: int = Field(1000, ge=1, description="steps between states")

    @model_validator(mode="after")
    def _angles_are_made_of_bonds(self):
        if self.threebody_cutoff_A > self.cutoff_A:
            raise ValueError(
                f"threebody_cutoff_A: expected at most cutoff_A, {self.cutoff_A:g}, "
                f"found {self.threebody_cutoff_A:g}"
            )
        return self
