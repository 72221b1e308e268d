from collections import Counter
from pathlib import Path

from dismai.evaluation import warm

INSTALLER = (Path(__file__).parents[2] / "envs" / "install.sh").read_text()


def test_an_installation_describes_a_structure_of_every_kind_and_alignment(monkeypatch, capsys):
    found = []
    monkeypatch.setattr(
        warm, "process_one", lambda _, atoms, spec, options: found.append((spec, atoms, options))
    )
    warm.compile_kernels()
    assert Counter((spec.kind, options.align) for spec, _, options in found) == {
        ("alloy", "none"): 1,
        ("alloy", "translate"): 1,
        ("alloy", "rotate"): 1,
        ("amorphous_si", "none"): 1,
        ("interface", "none"): 1,
    }
    assert all(Counter(atoms.symbols) == spec.composition for spec, atoms, _ in found)
    assert capsys.readouterr().out.count("compiling") == 3
    assert "python -m dismai.evaluation.warm" in INSTALLER
