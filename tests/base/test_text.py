"""Text that people wrote elsewhere: any usual encoding is read, what is no text is one line."""

import pytest

from dismai.base.card import read_card, write_card
from dismai.base.errors import InputError
from dismai.base.resources import resource
from dismai.base.text import decode, read_text, to_lines
from dismai.geometry.cluster_expansion import read_cluster_expansion
from dismai.pipeline.config import load
from dismai.potentials import entry_from_word
from tests.makers import alloy_spec

NOTE = "# 5 \xc5ngstr\xf6m\n"


def config_of(path):
    return load(str(resource("eci.yaml").parents[1] / "config" / "config.yaml"), str(path))


READERS = {
    "config.yaml": (load, "run: demo\n"),
    "potential.yaml": (lambda path: entry_from_word(str(path)), "kind: sw\n"),
    "eci.yaml": (read_cluster_expansion, resource("eci.yaml").read_text(encoding="utf-8")),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("name", ["potential.yaml", "eci.yaml"])
def test_yaml_in_any_usual_encoding_is_read(tmp_path, name, end, encoding):
    read, text = READERS[name]
    (tmp_path / "plain.yaml").write_text(text)
    (tmp_path / name).write_bytes((NOTE + text).replace("\n", end).encode(encoding))
    assert repr(read(tmp_path / name)) == repr(read(tmp_path / "plain.yaml"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_a_configuration_in_any_usual_encoding_is_read(tmp_path, encoding):
    path = tmp_path / "over.yaml"
    path.write_bytes((NOTE + "run: other\n").encode(encoding))
    assert config_of(path).run == "other"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_a_card_in_any_usual_encoding_is_read(tmp_path, encoding):
    path = tmp_path / "card.json"
    spec = alloy_spec().model_copy(update={"notes": ("5 \xe5ngstr\xf6m",)})
    path.write_bytes(spec.model_dump_json().encode(encoding))
    assert read_card(path) == spec
    write_card(spec, path)
    assert read_card(path) == spec


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("data", [bytes(range(256)) * 4, b"a: [", b"a: b: c", b"\t- x"])
def test_what_is_no_yaml_is_one_line(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError) as error:
        READERS[name][0](path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["no.yaml", "a" * 300 + ".yaml", "b/" * 3000 + "c.yaml"])
@pytest.mark.parametrize("reader", [load, lambda path: entry_from_word(str(path)),
                                    read_cluster_expansion, read_card,
                                    lambda path: read_text(path, "a text")],
                         ids=["config", "potential", "ecis", "card", "text"])  # fmt: skip
def test_a_path_that_the_system_refuses_is_one_line(tmp_path, name, reader):
    with pytest.raises(
        InputError, match="expected .*, found (no such file|file name too)"
    ) as error:
        reader(tmp_path / name)
    assert "\n" not in str(error.value)


def test_bytes_are_text_or_not():
    assert decode("\ufeffa".encode()) == "a"
    assert decode(b"\xff\xfea\0\n\0") == "a\n"
    assert decode(b"caf\xe9") == "caf\xe9"
    for data in (bytes(range(256)), b"\0" * 10, b"a\0b\0c\0"):
        with pytest.raises(ValueError, match="binary data"):
            decode(data)
    assert to_lines("a\r\nb\rc\u2028d\x85e\n") == ["a", "b", "c\u2028d\x85e", ""]


@pytest.mark.parametrize("text", ["- 1", "'text'", "3"])
def test_a_configuration_without_entries_is_one_line(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"mine\.yaml: expected a configuration, found a "):
        load(path)
