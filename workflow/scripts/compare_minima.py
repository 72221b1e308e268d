"""Continue minima of M3GNet under the engine of the labels: Table 5, its figure."""

from pathlib import Path

from dismai.base.atomic import locked, sha256
from dismai.base.seeds import seed_for
from dismai.datasets.interface import random_interface
from dismai.datasets.interface.settings import InterfaceGeometry
from dismai.dft.settings import Dft, PotentialStudy
from dismai.evaluation.study_potential import MINIMA_SCHEMA, compare_minima, table_5
from dismai.files.structures import write_csv, write_table
from dismai.pipeline.jobs import job, provenance, state_folder
from dismai.potentials.m3gnet import load
from dismai.potentials.settings import RelaxationSettings
from dismai.report.figures import save_figure
from dismai.report.potential import plot_minima

params, output = snakemake.params, snakemake.output
model = Path(snakemake.input.potential)
potential = snakemake.wildcards.potential
state = state_folder(snakemake)

with job(snakemake, saves=True), locked(state):
    study, dft = PotentialStudy(**params.study), Dft(**params.dft)
    relaxation = RelaxationSettings(**params.relaxation)
    crystals = snakemake.input.crystals
    geometry = InterfaceGeometry(**params.geometry).reading(crystals)
    structures = [
        random_interface(
            seed_for(params.seed, "study_potential", potential, index), **geometry.model_dump()
        )
        for index in range(study.n_structures)
    ]
    minima = compare_minima(structures, load(model), relaxation, dft, state, sha256(model))
    write_table(minima, Path(output.minima), MINIMA_SCHEMA, provenance(snakemake))
    table = table_5(minima, study.low_energy_eV_per_atom, Path(snakemake.input.published))
    write_csv(table, Path(output.table), digits=6)
    save_figure(plot_minima(table), output.figure)
