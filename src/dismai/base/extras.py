"""Which extra of the package brings a library that is not installed, said in one line."""

import re
from collections import Counter
from importlib.metadata import PackageNotFoundError, requires, version

from dismai.base.errors import InputError

DISTRIBUTIONS = {"quippy": "quippy-ase"}
"""Distributions whose modules have another name, but for case and dashes."""


def extra_of(module: str, requirements: list[str] | None = None) -> str | None:
    """The smallest extra that asks for a module or distribution; None if there is none.

    requirements: of the package, as its metadata say.
    """
    if requirements is None:
        requirements = requires("dismai") or []
    root = module.partition(".")[0].lower().replace("_", "-")
    wanted = DISTRIBUTIONS.get(root, root)
    asked = [
        (re.match(r"[\w.-]+", line)[0].lower(), found[1])
        for line in requirements
        if (found := re.search(r"extra\s*==\s*['\"]([\w-]+)", line))
    ]
    sizes = Counter(extra for _, extra in asked)
    extras = [extra for name, extra in asked if name.replace("_", "-") == wanted]
    return min(extras, key=lambda extra: (sizes[extra], extra), default=None)


def how_to_install(module: str) -> str | None:
    """One line on a library that is not installed; None for one that no extra brings."""
    extra, library = extra_of(module), module.partition(".")[0]
    if extra is None:
        return None
    return f"expected {library}, found none; it comes with: pip install 'dismai[{extra}]'"


def need(*distributions: str) -> None:
    """InputError for the first of these libraries that is not installed, before any work."""
    for name in distributions:
        try:
            version(name)
        except PackageNotFoundError:
            raise InputError(how_to_install(name) or f"expected {name}, found none") from None
