"""`dismai.errors.InputError`: what a user can mend. A public name; it lives in `base`."""

from dismai.base.errors import InputError, StructureError

__all__ = ["InputError", "StructureError"]
