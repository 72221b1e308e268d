"""Nothing from outside is unpickled or reaches a shell; what is fetched has a checksum."""

import ast
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dismai import models
from dismai.base.card import read_card
from dismai.base.errors import InputError
from dismai.datasets.alloy.build import load_snapshots
from dismai.datasets.amorphous_si.bulk import read_bulk
from dismai.files.structures import read_frames, read_structures, read_table
from dismai.files.tensors import read_tree
from dismai.pipeline.config import load, validate
from dismai.pipeline.external import fill_in
from dismai.potentials.labels import read_labels
from dismai.potentials.m3gnet import load as load_m3gnet

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "workflow").rglob("*.py")])
RULES = sorted([ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")])

UNPICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
FORBIDDEN = {
    *("torch.load", "pd.read_pickle", "pandas.read_pickle", "yaml.load", "yaml.unsafe_load"),
    *("eval", "exec", "os.system", "os.popen", "subprocess.getoutput", "np.fromfile"),
}
FETCHING = {"urllib.request", "requests", "httpx", "aiohttp", "boto3", "ftplib", "socket"}
MAY_FETCH = {"src/dismai/files/archive.py"}
MAY_NAME = {
    # From processes of its own, never from a file.
    "src/dismai/potentials/graphs.py": {"pickle.dumps", "pickle.loads"},
    # What torch.load raises; with weights_only it makes tensors and calls nothing.
    "src/dismai/potentials/m3gnet/matgl_folder.py": {"pickle.UnpicklingError"},
}
"""Files that may import pickle, and all that they may use of it."""
MAY_LOAD_WEIGHTS = {"src/dismai/potentials/m3gnet/matgl_folder.py"}


def imports(tree):
    """Names of all modules that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def calls(tree):
    """Dotted name and keywords of every call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {word.arg: word.value for word in node.keywords}


def pickle_names(tree):
    """All that a file uses of the module pickle, which it may import as a whole only."""
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "pickle"]
    return {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "pickle"
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_unpickles_starts_a_shell_or_fetches(path):
    tree = ast.parse(path.read_text())
    place = str(path.relative_to(ROOT))
    names = {name.split(".")[0] for name in imports(tree)}
    if place in MAY_NAME:
        names -= {"pickle"}
        assert pickle_names(tree) == MAY_NAME[place]
    assert not names & UNPICKLING
    if place not in MAY_FETCH:
        assert not set(imports(tree)) & FETCHING
    for name, keywords in calls(tree):
        if name == "torch.load" and place in MAY_LOAD_WEIGHTS:
            assert ast.unparse(keywords["weights_only"]) == "True"
        else:
            assert name not in FORBIDDEN
        assert "shell" not in keywords, name
        if name in ("np.load", "numpy.load"):
            assert ast.unparse(keywords["allow_pickle"]) == "False"


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_no_rule_has_a_shell_command(path):
    assert not re.search(r"^\s*(shell|run|wrapper|notebook|cwl):", path.read_text(), re.MULTILINE)


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return (open, (self.marker, "w"))


def object_array(path, marker):
    """A NumPy archive with an array of Python objects, which is a pickle."""
    bomb = np.array([Bomb(marker)], dtype=object)
    with open(path, "wb") as stream:
        np.savez(stream, scaled_positions=bomb, cell=bomb, occupancies=bomb)


def plain_pickle(path, marker):
    path.write_bytes(pickle.dumps(Bomb(marker)))


ENDINGS = ("npz", "npy", "traj", "pkl", "pt", "json", "db", "gpw", "cif")
READERS = [
    (models.load, "model.safetensors"),
    (load_m3gnet, "model.safetensors"),
    (read_tree, "step000000001.safetensors"),
    (load_snapshots, "snapshots.npz"),
    (read_bulk, "cell.npz"),
    (read_bulk, "cell.traj"),
    (read_table, "metrics.parquet"),
    (read_card, "card.json"),
    (read_labels, "labels.extxyz"),
    (read_structures, "train.extxyz"),
    *(
        (read_frames, f"x.{end}")
        for end in ("npz", "npy", "traj", "pkl", "pt", "json", "db", "gpw")
    ),
]


@pytest.mark.parametrize("write", [plain_pickle, object_array])
@pytest.mark.parametrize(("read", "name"), READERS)
def test_a_pickle_is_refused_and_never_run(tmp_path, read, name, write):
    marker = tmp_path / "was_run"
    write(tmp_path / name, marker)
    with pytest.raises(InputError) as error:
        read(tmp_path / name)
    assert "\n" not in str(error.value)
    assert not marker.exists()


def test_the_bomb_is_one(tmp_path):
    plain_pickle(tmp_path / "x", tmp_path / "was_run")
    pickle.loads((tmp_path / "x").read_bytes()).close()  # noqa: S301
    assert (tmp_path / "was_run").exists()


SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
SAFE_RUN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
TRICKY = st.one_of(
    st.text(min_size=1, max_size=30),
    st.sampled_from(["..", ".", "a/b", "../x", "$(id)", "`id`", "a;id", "a b", "a\nb", "-rf", "é"]),
)


@pytest.fixture(scope="module")
def base():
    path = ROOT / "tests" / "config" / "tiny.yaml"
    return load(str(ROOT / "config" / "config.yaml"), str(path)).model_dump(mode="json")


@given(name=TRICKY, section=st.sampled_from(["datasets", "models", "potentials", "run"]))
@settings(max_examples=150)
def test_a_name_is_plain_or_refused(base, name, section):
    """Names become parts of paths and of SLURM's comments."""
    config = {**base}
    if section == "run":
        config["run"] = name
    else:
        entry = next(iter(base[section].values()))
        config[section] = {**base[section], name: entry}
    if SAFE_RUN.fullmatch(name) if section == "run" else SAFE.fullmatch(name):
        validate(config)
        return
    with pytest.raises(InputError) as error:
        validate(config)
    assert "\n" not in str(error.value)


@given(value=TRICKY)
def test_a_value_is_one_word_of_a_command(value):
    assert fill_in(["{output}", "--n={n}"], {"output": value, "n": value}) == [
        value,
        f"--n={value}",
    ]


@given(name=st.text(min_size=1, max_size=20).filter(lambda text: not set(text) & {"/", "\0"}))
@settings(max_examples=60)
def test_any_file_name_is_read_as_it_is(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("names")
    path = folder / f"{name}.extxyz"
    try:
        path.write_text("1\nLattice='5 0 0 0 5 0 0 0 5' Properties=species:S:1:pos:R:3\nSi 0 0 0\n")
    except (OSError, UnicodeEncodeError):
        return
    assert len(read_frames(path)) == 1
    assert [entry.name for entry in folder.iterdir()] == [path.name]


@pytest.mark.parametrize("section", ["amorphous_si", "interface"])
@pytest.mark.parametrize("source", ["https://example.org/x.tar", "/data/x.extxyz"])
def test_a_source_without_a_checksum_is_refused(base, section, source):
    entry = {**base["datasets"][section], "source": source, "sha256": None}
    with pytest.raises(InputError, match="expected a sha256"):
        validate({**base, "datasets": {**base["datasets"], section: entry}})


def test_a_large_cell_without_a_checksum_is_refused(base):
    with pytest.raises(InputError, match="expected a file with a sha256"):
        validate({**base, "amorphous_si": {**base["amorphous_si"], "sha256": None}})
