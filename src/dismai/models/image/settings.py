"""Settings that CrysTens and UniMat share. Free of torch: the Snakefile reads them."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

SnrCap = Annotated[
    float,
    Field(gt=0, description="a signal-to-noise ratio above it weighs less: min(SNR, cap) / SNR"),
]
Region = Annotated[
    dict[str, PositiveInt] | Literal["all"] | None,
    Field(
        description="atoms that have no order and are shuffled in copies, by species the first "
        "ones of their blocks; all: every atom, which the paper found to fail; None: those of the "
        "disordered region on the card of an interface (the papers': 9 Li, 3 Sc, 18 Cl), none "
        "otherwise",
    ),
]
Copies = Annotated[
    int | None,
    Field(
        ge=1,
        description="orders of the atoms of the region that are trained on, the one of the file "
        "included; None: 50 for an interface, 1 otherwise",
    ),
]
EmaDecay = Annotated[
    float,
    Field(
        ge=0,
        lt=1,
        description="largest decay of the averaged weights, which are updated every 10 steps; "
        "before, it is 1 - (step - 100)^(-2/3), an average over 2000 steps at step 3000",
    ),
]
