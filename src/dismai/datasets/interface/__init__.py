"""Random interfaces of Li3ScCl6(100) and LiCoO2(110): slabs, common cell, random region."""

from dismai.datasets.interface.assembly import ORDER, random_interface

__all__ = ["ORDER", "random_interface"]
