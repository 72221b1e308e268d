"""Configuration of labels: which engine, its settings, which structures. No heavy imports."""

from typing import Any, Literal

from pydantic import Field, PositiveInt, model_validator

from dismai.base.section import Section

FIXED_TAGS = (
    *("ENCUT", "NSW", "IBRION", "ISIF", "EDIFFG", "GGA"),
    *("LDAU", "LDAUTYPE", "LDAUL", "LDAUU", "LDAUJ"),
)
"""INCAR tags that the stages of the paper set."""


class Surrogate(Section):
    """CHGNet in place of DFT: no licence, no download, seconds a structure."""

    weights: Literal["0.2.0", "0.3.0", "r2scan"] = Field("0.3.0", description="set of weights")


class Gpaw(Section):
    """GPAW, a free DFT code: PBE + U with the same U as VASP; periodic."""

    mode: Literal["pw", "lcao"] = Field(
        "pw", description="plane waves, or atomic orbitals (cheaper; no stress)"
    )
    cutoff_eV: float = Field(450.0, gt=0, description="plane-wave cutoff (pw), eV")
    spacing_A: float = Field(0.18, gt=0, description="largest grid spacing (lcao), Å")
    basis: str = Field("dzp", description="atomic orbitals (lcao)")
    kpts: tuple[PositiveInt, PositiveInt, PositiveInt] = Field(
        (1, 1, 1), description="k-points, gamma centred"
    )
    spin_polarised: bool = Field(False, description="whether spins may polarise")
    magmoms: dict[str, float] = Field(
        default_factory=dict,
        description="starting moments by element, Bohr magnetons; others start at 0",
    )
    smearing_eV: float = Field(0.05, gt=0, description="width of the Fermi-Dirac smearing, eV")
    energy_tolerance_eV: float = Field(
        5e-4, gt=0, description="electronic convergence of the energy, eV per valence electron"
    )
    max_electronic_steps: int = Field(200, ge=1, description="given up after these iterations")

    @model_validator(mode="after")
    def _moments_need_spins(self):
        if any(self.magmoms.values()) and not self.spin_polarised:
            raise ValueError("magmoms: expected spin_polarised: true beside them, found false")
        return self


class Vasp(Section):
    """VASP with the user's own licence, program and PAW potentials."""

    command: list[str] = Field(
        ["vasp_gam"],
        min_length=1,
        description="words that start the program; ranks are the profile's",
    )
    bulk_command: list[str] = Field(
        ["vasp_std"], min_length=1, description="the same for crystals, which need k-points"
    )
    incar: dict[str, Any] = Field(
        {
            "PREC": "Normal",
            "ALGO": "Normal",
            "EDIFF": 1e-5,
            "NELM": 100,
            "ISPIN": 2,
            "ISMEAR": 0,
            "SIGMA": 0.05,
            "LREAL": "Auto",
            "LMAXMIX": 4,
            "LASPH": True,
            "LWAVE": False,
            "LCHARG": False,
        },
        description="INCAR tags that the paper does not state; replaced as a whole",
    )
    max_errors: int = Field(5, ge=0, description="corrections by custodian before it gives up")

    @model_validator(mode="after")
    def _the_tags_of_the_paper_stay(self):
        clash = sorted(set(map(str.upper, self.incar)) & set(FIXED_TAGS))
        if clash:
            raise ValueError(f"incar: expected tags that no stage sets, found {', '.join(clash)}")
        return self


class Mesh(Section):
    """k-points of one crystal."""

    scheme: Literal["gamma", "monkhorst-pack"] = Field(description="where the mesh stands")
    divisions: tuple[PositiveInt, PositiveInt, PositiveInt] = Field(
        description="along the three reciprocal vectors"
    )


class Bulk(Section):
    """Cells of the two crystals, relaxed as a whole before interfaces are cut from them."""

    substrate: Mesh = Field(
        Mesh(scheme="gamma", divisions=(9, 9, 1)), description="k-points of LiCoO2"
    )
    film: Mesh = Field(
        Mesh(scheme="monkhorst-pack", divisions=(6, 4, 6)), description="k-points of Li3ScCl6"
    )
    fmax_eV_per_A: float = Field(0.001, gt=0, description="ends at this force, eV/Å")
    max_steps: int = Field(500, ge=1, description="most ionic steps")


class Protocol(Section):
    """Successive relaxations of a crystal, each from where the one before ended (CrysTens paper).

    Where the mesh stands, whether the cell is free and the break condition are not published, or
    not legible.
    """

    functional: Literal["PBE", "PBEsol"] = Field("PBEsol", description="without U")
    cutoff_eV: float = Field(400.0, gt=0, description="plane-wave cutoff, eV")
    kpoints: Mesh = Field(
        Mesh(scheme="gamma", divisions=(3, 3, 3)), description="k-points; none of the surrogate"
    )
    smearing_eV: float = Field(0.1, gt=0, description="width of the Gaussian smearing, eV")
    cell_free: bool = Field(True, description="whether the cell relaxes, too")
    n_relaxations: int = Field(4, ge=1, description="after a calculation of the crystal as it is")
    max_steps: int = Field(20, ge=1, description="most ionic steps of each")
    energy_break_eV: float = Field(
        1e-3, gt=0, description="a relaxation of VASP ends at this change of the energy, eV"
    )
    fmax_eV_per_A: float = Field(
        0.01, gt=0, description="one of the surrogate or GPAW at this force, eV/Å"
    )


class Dft(Section):
    """Where energies, forces and stresses come from, and how structures relax under it."""

    engine: Literal["surrogate", "gpaw", "vasp"] = Field("surrogate", description="engine in use")
    surrogate: Surrogate = Field(Surrogate(), description="settings of the surrogate")
    gpaw: Gpaw = Field(Gpaw(), description="settings of GPAW")
    vasp: Vasp = Field(Vasp(), description="settings of VASP")
    hubbard_U_eV: dict[str, float] = Field(
        {"Co": 4.0}, description="U on the d shell by element (Dudarev), eV; gpaw and vasp"
    )
    region_steps: int = Field(
        50, ge=0, description="ionic steps of stage 1, in which only the interface region moves"
    )
    max_steps: int = Field(
        2000,
        ge=1,
        description="most ionic steps of stage 2, all atoms moving; far above the 150 or so that a "
        "relaxation of the papers took, so that it cuts off no tail",
    )
    fmax_eV_per_A: float = Field(0.1, gt=0, description="stage 2 ends at this force, eV/Å")
    optimizer: Literal["lbfgs", "fire"] = Field(
        "lbfgs", description="minimiser (surrogate, gpaw); VASP uses its conjugate gradient"
    )

    bulk: Bulk = Field(Bulk(), description="crystals, where an interface asks to relax them")

    def launched_by(self, words: list[str]) -> "Dft":
        """The same with the programs of VASP behind a launcher, e.g. srun -n 32."""
        commands = {key: [*words, *getattr(self.vasp, key)] for key in ("command", "bulk_command")}
        return self.model_copy(update={"vasp": self.vasp.model_copy(update=commands)})


class PotentialStudy(Section):
    """Minima of the potential continued under the engine of the labels (Table 5)."""

    n_structures: int = Field(100, ge=2, description="random interfaces that no label stems from")
    structures_per_job: int = Field(4, ge=1, description="that one job compares, one by one")
    low_energy_eV_per_atom: float | None = Field(
        None,
        description="low-energy interfaces have an energy up to this, eV/atom: -4.78 with energies "
        "of the papers' VASP settings; the median by default",
    )

    @property
    def n_jobs(self) -> int:
        """Jobs that share the structures."""
        return -(-self.n_structures // self.structures_per_job)
