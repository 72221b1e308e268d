"""What a user of VASP has, as files: a library of stub POTCAR files, a stand-in for VASP."""

import stat
import sys

from dismai.dft.potcar import POTENTIALS
from tests.conftest import ROOT


def install_library(root, potentials=POTENTIALS):
    """Stubs: the title and the number of valence electrons, nothing of a real potential."""
    for element, (name, valence) in potentials.items():
        folder = root / "potpaw_PBE" / name
        folder.mkdir(parents=True)
        title = f"PAW_PBE {name} 01Jan2000"
        text = (
            f"  {title}\n   {valence:.8f}\n parameters from PSCTR are:\n"
            f"   VRHFIN ={element}: stub\n   LEXCH  = PE\n   TITEL  = {title}\n"
            f"   ENMAX  =  400.000; ENMIN  =  300.000 eV\n END of PSCTR-controll parameters\n"
            "  1.0 2.0 3.0\n End of Dataset\n"
        )
        (folder / "POTCAR").write_text(text)
    return root


def install_stand_in(folder):
    """The stand-in for VASP as programs vasp_gam and vasp_std in a new folder."""
    folder.mkdir()
    for name in ("vasp_gam", "vasp_std"):
        program = folder / name
        program.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
            "from tests.dft.stand_in_vasp import main\nmain()\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
