"""Take over a ready-made set of interfaces: fetched, checked, atoms in blocks."""

import tempfile
from pathlib import Path

from dismai.datasets.interface.build import composition_of, in_file_order
from dismai.datasets.interface.settings import InterfaceDataset
from dismai.files.archive import extract, fetch, read_ready_made
from dismai.files.structures import write_structures
from dismai.pipeline.jobs import job

with job(snakemake), tempfile.TemporaryDirectory() as folder:
    settings = InterfaceDataset(**snakemake.params.settings)
    archive, content = Path(folder) / "archive", Path(folder) / "structures.extxyz"
    fetch(snakemake.input.source or settings.source, settings.sha256, archive)
    extract(archive, settings.member, content)
    composition = composition_of(settings.geometry.reading(snakemake.input.crystals))
    structures = read_ready_made(content, composition, settings.n_structures)
    write_structures(in_file_order(structures), Path(snakemake.output.structures))
