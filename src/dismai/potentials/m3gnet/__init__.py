"""M3GNet: trained by the workflow on labels, saved as safetensors, used as an ASE calculator."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator


def load(folder: Path | str, device: str = "cpu") -> "Calculator":
    """ASE calculator of a trained potential: energy eV, forces eV/Å, stress eV/Å³.

    Args:
        folder: with model.safetensors, or that file; or with what matgl saves.
        device: cpu or cuda.

    Raises:
        InputError: no such file, or one that is damaged or of another kind.
    """
    from dismai.potentials.m3gnet.network import MODEL_FILE, calculator, read
    from dismai.potentials.m3gnet.saved import is_matgl_folder

    path = Path(folder)
    if is_matgl_folder(path):
        from dismai.potentials.m3gnet.matgl_folder import read_matgl

        return calculator(read_matgl(path).to(device))
    return calculator(read(path if path.is_file() else path / MODEL_FILE).to(device))
