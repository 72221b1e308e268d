"""Take over a ready-made set of interfaces: fetched, checked, atoms in blocks."""

import tempfile
from pathlib import Path

from dismai.datasets.archive import extract, fetch, read_ready_made
from dismai.datasets.interface.dataset import composition_of, in_file_order
from dismai.datasets.settings import InterfaceDataset
from dismai.io import write_structures
from dismai.jobs import job

with job(snakemake), tempfile.TemporaryDirectory() as folder:
    settings = InterfaceDataset(**snakemake.params.settings)
    archive, content = Path(folder) / "archive", Path(folder) / "structures.extxyz"
    fetch(snakemake.input.source or settings.source, settings.sha256, archive)
    extract(archive, settings.member, content)
    composition = composition_of(settings.geometry.reading(snakemake.input.crystals))
    structures = read_ready_made(content, composition, settings.n_structures)
    write_structures(in_file_order(structures), Path(snakemake.output.structures))
