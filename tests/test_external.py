"""Commands of third-party models: no shell, and one line when they fail."""

import sys

import pytest

from dismai.errors import InputError
from dismai.external import fill_in, run_command


def test_words_are_filled_in_and_never_seen_by_a_shell(tmp_path):
    nasty = "a b; touch /tmp/x && $(id) `id` 'q'"
    assert fill_in(["x", "{train}", "--n={n}"], {"train": nasty, "n": 3}) == ["x", nasty, "--n=3"]
    with pytest.raises(InputError, match="expected only {n}, found {N}"):
        fill_in(["{N}"], {"n": 1})


def test_a_command_makes_its_file(tmp_path):
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    values = {"output": tmp_path / "deep" / "out.txt", "seed": 5}
    run_command([sys.executable, "-c", code, "{output}", "{seed}"], values, 1, makes="output")
    assert (tmp_path / "deep" / "out.txt").read_text() == "5"


@pytest.mark.parametrize(
    ("words", "minutes", "message"),
    [
        (["no-such-program-here"], 1, "expected a program, found none"),
        ([sys.executable, "-c", "raise SystemExit(4)"], 1, "expected exit code 0, found 4"),
        ([sys.executable, "-c", "pass"], 1, "expected it to make .*out, found nothing"),
        ([sys.executable, "-c", "import time; time.sleep(60)"], 0.005, "an end within 0.005 min"),
    ],
)
def test_a_command_that_fails_is_one_line(tmp_path, words, minutes, message):
    with pytest.raises(InputError, match=message) as error:
        run_command(words, {"output": tmp_path / "out"}, minutes, makes="output")
    assert "\n" not in str(error.value)
