"""Finished pieces: taken over, or made again and said; never one of something else."""

import json

import pytest

from dismai.base import kept, stopping
from dismai.base.kept import Damaged, Foreign, Pieces, digest, read, read_json, write_json

PIECES = Pieces("job", "it is made again")
ONE, OTHER = digest({"seed": 1}), digest({"seed": 2})


@pytest.fixture
def made():
    """What has been made."""
    return []


def maker(made, number=1.0):
    def make():
        made.append(number)
        return {"number": number}

    return make


def test_the_order_of_an_identity_does_not_matter_and_its_values_do():
    assert digest({"a": 1, "b": [2.5]}) == digest({"b": [2.5], "a": 1})
    assert len({ONE, OTHER, digest({"seed": "1"})}) == 3


def test_a_finished_piece_is_taken_over_without_a_word(tmp_path, made, caplog):
    path = tmp_path / "new" / "piece.json"
    first = PIECES.take_or_make(path, ONE, maker(made, 0.1 + 0.2))
    assert PIECES.take_or_make(path, ONE, maker(made)) == first == {"number": 0.1 + 0.2}
    assert len(made) == 1
    assert caplog.text == ""
    assert [file.name for file in path.parent.iterdir()] == ["piece.json"]


@pytest.mark.parametrize("damage", ["cut", "empty", "bytes", "list", "number", "checksum"])
def test_a_damaged_piece_is_made_again_and_said(tmp_path, made, caplog, damage):
    path = tmp_path / "piece.json"
    PIECES.take_or_make(path, ONE, maker(made))
    text = path.read_text()
    content = {
        "cut": text[:-9],
        "empty": "",
        "bytes": "\0\0",
        "list": "[1]",
        "number": text.replace("1.0", "1.5"),
        "checksum": json.dumps({"number": 1.0, "made_for": ONE}),
    }
    path.write_text(content[damage])
    with pytest.raises(Damaged):
        read(path, ONE, read_json)
    assert PIECES.take_or_make(path, ONE, maker(made)) == {"number": 1.0}
    assert len(made) == 2
    assert f"{path} is damaged, it is made again" in caplog.text


def test_a_piece_of_something_else_is_not_used_and_said(tmp_path, made, caplog):
    path = tmp_path / "piece.json"
    PIECES.take_or_make(path, ONE, maker(made))
    with pytest.raises(Foreign):
        read(path, OTHER, read_json)
    assert PIECES.take_or_make(path, OTHER, maker(made, 2.0)) == {"number": 2.0}
    assert "is of another job, it is not used: it is made again" in caplog.text
    assert PIECES.finished(path, ONE) is None


def test_what_fails_while_it_is_made_leaves_nothing(tmp_path):
    def fail():
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        PIECES.take_or_make(tmp_path / "piece.json", ONE, fail)
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_is_asked_to_end_does_so_after_a_piece_it_made(tmp_path, made, monkeypatch):
    monkeypatch.setattr(stopping, "asked", lambda: True)
    path = tmp_path / "piece.json"
    with pytest.raises(SystemExit) as ended:
        PIECES.take_or_make(path, ONE, maker(made))
    assert ended.value.code == stopping.EXIT_CODE
    assert PIECES.take_or_make(path, ONE, maker(made)) == {"number": 1.0}


def test_pieces_may_have_a_form_of_their_own(tmp_path):
    def write(folder, content, made_for):
        folder.mkdir(exist_ok=True)
        (folder / "text").write_text(content)
        write_json(folder / "mark.json", {}, made_for)

    def reader(folder):
        return (folder / "text").read_text(), read_json(folder / "mark.json")[1]

    pieces = Pieces("job", "it is made again", reader, write)
    assert pieces.take_or_make(tmp_path / "folder", ONE, lambda: "words") == "words"
    assert pieces.finished(tmp_path / "folder", ONE) == "words"
    assert pieces.finished(tmp_path / "folder", OTHER) is None


def test_state_lies_beside_results(tmp_path):
    assert kept.state_of(tmp_path).parent == tmp_path
