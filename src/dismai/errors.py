"""The one exception for everything a user can mend."""


class InputError(ValueError):
    """Wrong input; the message names the file, the place, what was expected, what was found."""


class StructureError(ValueError):
    """One structure cannot be used; it costs that structure, never the set."""
