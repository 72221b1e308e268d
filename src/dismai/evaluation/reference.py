"""Reference sets that ship with the package, so that `dismai evaluate` works on a fresh install.

A reference is one Parquet table, one row a structure, with the card in its footer. Of alloys it
holds the cluster counts as integers, from which all features follow exactly; of crystals the
features themselves; of the other kinds these, rounded to nine binary digits (0.1 %), all of a
structure in one list because a thousand columns cost more than what is in them, and those that are
the same in all structures, such as the density, exact in the footer.
"""

import filecmp
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ase import Atoms

from dismai.base.atomic import replacing
from dismai.base.card import Card, card_from, read_card
from dismai.base.columns import ENERGY
from dismai.base.errors import InputError
from dismai.base.kinds import KINDS, dataset_names, kind_name
from dismai.base.resources import check_shipped, shipped_references
from dismai.datasets.options import Options
from dismai.evaluation.parallel import Reporter
from dismai.evaluation.process import describe_reference
from dismai.files.structures import SOURCE_FILE, is_folder, read_structures, write_table
from dismai.geometry.cluster_expansion import ClusterExpansion, cluster_names
from dismai.potentials import potential_digest

TRAIN_FILE, HELD_OUT_FILE = "train.extxyz", "val.extxyz"
HELD_OUT = pa.field("held_out", pa.bool_(), nullable=False)
CLUSTERS_SCHEMA = pa.schema(
    [HELD_OUT, *(pa.field(name, pa.int16(), nullable=False) for name in cluster_names())]
)
DESCRIPTORS, CONSTANTS = "descriptors", "constants"
SAME = 1e-9
"""Relative difference up to which a feature is the same in all structures."""


@dataclass(frozen=True)
class Reference:
    """Card of a dataset with the features of its training and of its held-out structures.

    notes: what had to be assumed, in sentences for the reader of the results.
    potential: digest of the potential whose energies the features hold, if they hold any.
    shipped: name under which it ships, if it does; that of its dataset, or of another size of it.
    """

    spec: Card
    train: pd.DataFrame
    held_out: pd.DataFrame | None
    notes: tuple[str, ...] = ()
    potential: str | None = None
    shipped: str | None = None


def pack_clusters(train: Sequence[Atoms], val: Sequence[Atoms], spec: Card, path: Path) -> None:
    """Write a reference set of an alloy: cluster counts of its structures."""
    table = KINDS[spec.kind].extra("packed_reference")([*train, *val], spec)
    table["held_out"] = np.arange(len(table)) >= len(train)
    write_table(table, path, CLUSTERS_SCHEMA, _footer(spec))


def pack_features(
    train: pd.DataFrame, held_out: pd.DataFrame, spec: Card, potential: str, path: Path
) -> None:
    """Write a reference set of a dataset that is relaxed: features of its structures.

    Args:
        train: features of the training structures, with their energies.
        held_out: the same of the held-out ones.
        spec: card.
        potential: digest of the potential whose energies the features hold.
        path: of the file.
    """
    table = pd.concat([train, held_out], ignore_index=True)
    names = [name for name in train if name not in ("structure", ENERGY)]
    values = pa.array(_rounded(table[names].to_numpy(dtype=float)).ravel())
    packed = pa.table(
        {
            "held_out": np.arange(len(table)) >= len(train),
            ENERGY: table[ENERGY].to_numpy(dtype=float),
            DESCRIPTORS: pa.FixedSizeListArray.from_arrays(values, len(names)),
        }
    )
    footer = {
        **_footer(spec),
        "potential": potential,
        DESCRIPTORS: json.dumps(names),
        CONSTANTS: json.dumps(_constants(table[names])),
    }
    _write_packed(packed.replace_schema_metadata(footer), path)


def ship(packed: Path, spec: Card, path: Path) -> None:
    """Write a packed reference of a dataset that is relaxed again, with another card."""
    table = pq.read_table(packed)
    kept = {name.decode(): value for name, value in table.schema.metadata.items()}
    _write_packed(table.replace_schema_metadata({**kept, **_footer(spec)}), path)


def _write_packed(table: pa.Table, path: Path) -> None:
    with replacing(path) as temporary:
        pq.write_table(
            table,
            temporary,
            compression="zstd",
            compression_level=19,
            use_dictionary=False,
            use_byte_stream_split=[f"{DESCRIPTORS}.list.element"],
        )


def pack_table(train: pd.DataFrame, held_out: pd.DataFrame, spec: Card, path: Path) -> None:
    """Write a reference set of a dataset that is not relaxed: features as they are."""
    table = pd.concat([train, held_out], ignore_index=True).drop(columns="structure")
    table.insert(0, HELD_OUT.name, np.arange(len(table)) >= len(train))
    columns = (pa.field(name, pa.float64()) for name in table.columns[1:])
    write_table(table, path, pa.schema([HELD_OUT, *columns]), _footer(spec))


def _constants(features: pd.DataFrame) -> dict[str, float]:
    """Features that are the same in all structures, exact: what follows from one cell for all."""
    values = features.to_numpy(dtype=float)
    same = (values[0] != 0) & (np.ptp(values, axis=0) <= SAME * np.abs(values[0]))
    return {name: float(values[0, k]) for k, name in enumerate(features) if same[k]}


def _rounded(values: np.ndarray) -> np.ndarray:
    """Values to nine binary digits, as 16-bit floats."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.rint(mantissa * 2.0**9) / 2.0**9, exponent).astype(np.float16)


def _footer(spec: Card) -> dict[str, str]:
    return {"card": json.dumps(spec.model_dump(mode="json"))}


def shipped_cards() -> dict[str, Card]:
    """Cards of the references that ship, by the names under which they do."""
    return {
        name: card_from(json.loads(pq.read_schema(path).metadata[b"card"]))
        for name, path in shipped_references().items()
    }


def load_shipped(dataset: str, expansion: ClusterExpansion) -> Reference:
    """The shipped reference of a dataset; InputError if there is none."""
    path = check_shipped(dataset, shipped_references())
    table = pq.read_table(path)
    footer = table.schema.metadata
    spec = card_from(json.loads(footer[b"card"]))
    frame = table.to_pandas()
    held_out = frame.pop("held_out").to_numpy()
    numbered = pd.DataFrame({"structure": np.arange(len(frame))})
    if (unpacked := KINDS[spec.kind].extra("features_of_reference")) is not None:
        features = unpacked(frame, numbered, spec, expansion)
    else:
        values = np.stack(frame[DESCRIPTORS]).astype(float)
        descriptors = pd.DataFrame(values, columns=json.loads(footer[DESCRIPTORS.encode()]))
        descriptors = descriptors.assign(**json.loads(footer[CONSTANTS.encode()]))
        features = pd.concat([numbered, frame[[ENERGY]], descriptors], axis=1)
    return Reference(
        spec,
        features[~held_out].reset_index(drop=True),
        features[held_out].reset_index(drop=True),
        potential=footer[b"potential"].decode() if b"potential" in footer else None,
        shipped=dataset,
    )


def training_file(path: Path) -> Path:
    """The file of training structures that a path means: that of a folder, if it holds one.

    Raises:
        InputError: no such file.
    """
    path = Path(path)
    inside = path / TRAIN_FILE
    return inside if is_folder(path) and inside.is_file() else path


def notes_on_overlap(path: Path, reference: Path) -> list[str]:
    """What to say if a set under evaluation is its own reference, in sentences.

    Raises:
        InputError: the set lies among the training structures, or no such reference.
    """
    train = training_file(reference)
    if _same(path, train):
        return ["The set under evaluation is the training set itself."]
    if _same(path, train.with_name(HELD_OUT_FILE)):
        return [f"The set under evaluation is the held-out set itself ({HELD_OUT_FILE})."]
    if train.is_dir() and path.resolve().parent == train.resolve():
        raise InputError(
            f"{path}: expected a set apart from the training structures, found it in {train}"
        )
    return []


def _same(path: Path, other: Path) -> bool:
    """Whether two paths are one file or folder, or files of the same bytes."""
    if not other.exists():
        return False
    if path.samefile(other):
        return True
    return path.is_file() and other.is_file() and filecmp.cmp(path, other, shallow=False)


def _check_one_a_file(train: Sequence[Atoms], folder: Path) -> None:
    """InputError unless every file of a folder is one structure, or the folder one file."""
    files = [str(atoms.info[SOURCE_FILE]).rpartition(" [") for atoms in train]
    several = [name for name, mark, _ in files if mark]
    if several and len({name or last for name, _, last in files}) > 1:
        raise InputError(
            f"{folder}: expected {TRAIN_FILE}, or training structures one a file, found several "
            f"in {several[0]}: give one file"
        )


def load_built(
    path: Path, dataset: str, options: Options, n_jobs: int = 1, reporter: Reporter | None = None
) -> Reference:
    """The reference of training structures in a file, with the card and `val.extxyz` beside it.

    Of a folder `train.extxyz` is taken; a folder without it holds one training structure a file.
    Without a card, kind, composition and cell come from the name of the dataset and the first
    structure; without `val.extxyz` one half of the training set is later compared with the other.
    Both are said in the notes.

    Raises:
        InputError: no structures, no kind, or a structure that does not fit the others.
    """
    path = training_file(path)
    train = read_structures(path)
    beside = path if path.is_dir() else path.parent
    if path.is_dir():
        _check_one_a_file(train, path)
    held_out_file = beside / HELD_OUT_FILE
    held_out = None
    if held_out_file.exists() and held_out_file != path:
        held_out = read_structures(held_out_file)
    card = beside / "card.json"
    known = read_card(card) if card.exists() else None
    return reference_of(train, dataset, options, n_jobs, reporter, path, known, held_out)


def reference_of(
    train: Sequence[Atoms],
    dataset: str,
    options: Options,
    n_jobs: int = 1,
    reporter: Reporter | None = None,
    path: Path | None = None,
    card: Card | None = None,
    held_out: Sequence[Atoms] | None = None,
) -> Reference:
    """The reference of training structures, as `load_built` reads them from a file.

    path: of the training structures, where they stood in a file.  card: where there is one.

    Raises:
        InputError: no structures, no kind, or a structure that does not fit the others.
    """
    why = f"No card.json beside {path.name}: kind" if path else "Kind"
    path = path or Path("reference")
    place, notes = path.with_name("card.json"), []
    if card is None:
        spec = infer_spec(train, dataset, path, place)
        notes.append(
            f"{why} {spec.kind} from the name of the dataset, composition and cell from the first "
            "structure."
        )
    else:
        spec = card.model_copy(update={"name": dataset})
    if dataset in dataset_names() and kind_name(dataset) != spec.kind:
        raise InputError(f"{place}: expected kind {kind_name(dataset)}, found {spec.kind}")
    spec = spec.model_copy(update={"n_train": len(train)})
    features = describe_reference(train, spec, options, str(path), n_jobs, reporter)
    described = None
    if held_out is not None:
        name = str(path.with_name(HELD_OUT_FILE))
        described = describe_reference(held_out, spec, options, name, n_jobs, reporter)
    potential = potential_digest(options.relaxation.potential) if options.relaxation else None
    return Reference(spec, features, described, tuple(notes), potential)


def reference_digest(train: pd.DataFrame) -> str:
    """Names a reference: SHA-256 of the features of the training structures to nine digits."""
    values = train.drop(columns="structure").to_numpy(dtype=float)
    rounded = [f"{value:.9g}" for value in values.mean(axis=0)]
    text = json.dumps([list(train.columns), len(train), rounded])
    return hashlib.sha256(text.encode()).hexdigest()


def infer_spec(train: Sequence[Atoms], dataset: str, path: Path, card: Path) -> Card:
    """A card for training structures without one, after their first structure.

    Raises:
        InputError: a name that tells no kind, or an alloy that is not on its lattice.
    """
    if dataset not in dataset_names():
        raise InputError(
            f"{card}: expected a dataset card, or a dataset of known kind "
            f"({', '.join(dataset_names())}), found neither"
        )
    kind, first = kind_name(dataset), train[0]
    told = dict(
        name=dataset,
        kind=kind,
        n_train=len(train),
        **KINDS[kind].card_class.told_by(
            [atoms.get_chemical_symbols() for atoms in train], first.cell.array
        ),
    )
    completed = KINDS[kind].extra("completed_card")
    return card_from(told if completed is None else completed(told, first, path))
