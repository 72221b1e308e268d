"""A potential that ends its process, in several ways, for structures with a short first axis."""

import os
import signal

from ase.calculators.lj import LennardJones


class OutOfMemoryError(RuntimeError):
    """As torch calls it."""


class Deadly(LennardJones):
    def __init__(self, how):
        super().__init__(sigma=2.0, rc=4.0)
        self.how = how

    def calculate(self, atoms=None, *arguments, **keywords):
        print("a line that must not be taken for an answer", flush=True)
        if atoms.cell.lengths()[0] < 9:
            if self.how == "memory":
                raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
            if self.how == "exit":
                os._exit(3)
            os.kill(os.getpid(), getattr(signal, self.how))
        super().calculate(atoms, *arguments, **keywords)
