"""Entries of the configuration that are like another one: only what differs is written down.

`like` names an entry of the same section, of which a variant has every key that it does not give
itself; `weights_of` does, too, and the variant of a model is not trained. Overlays may change the
other entry: it is looked up when all files are united.
"""

import copy
from typing import Any

from dismai.base.errors import did_you_mean

LIKE, WEIGHTS_OF = "like", "weights_of"
READY_MADE = ("source", "sha256", "member")
"""What a dataset that the engine relaxes does not have of another one: it is made here."""


def merge(base: dict[str, Any], overlay: dict[str, Any]) -> None:
    """Unite mappings, replace everything else; in place."""
    for key, value in overlay.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value


def with_whole_entries(data: Any) -> Any:
    """The same configuration, every variant under `models` and `datasets` with all its keys.

    Hyperparameters on a dataset hold for its variants, too, and are changed by their own. Those
    that a variant of a model gives for all datasets win over what its model says of single ones.

    Raises:
        ValueError: a variant of an entry that there is not, or that is a variant itself.
    """
    if not isinstance(data, dict):
        return data
    whole = dict(data)
    for section in ("models", "datasets"):
        entries = data.get(section)
        if isinstance(entries, dict):
            whole[section] = {name: _whole(section, name, entries) for name in entries}
    datasets, models = (data.get(section) for section in ("datasets", "models"))
    if isinstance(datasets, dict) and isinstance(models, dict):
        for model in whole["models"].values():
            _add_variants_of_datasets(model, datasets)
    return whole


def _key_of_base(entry: Any) -> str | None:
    """The key that names what an entry is a variant of; None: it is no variant."""
    keys = (LIKE, WEIGHTS_OF) if isinstance(entry, dict) else ()
    return next((key for key in keys if entry.get(key) is not None), None)


def _whole(section: str, name: str, entries: dict[str, Any]) -> Any:
    entry = copy.deepcopy(entries[name])
    key = _key_of_base(entry)
    if key is None:
        return entry
    wanted, known = entry[key], [other for other in entries if not _key_of_base(entries[other])]
    if wanted not in known:
        raise ValueError(
            f"{section}.{name}.{key}: expected one of {', '.join(known)}, found {wanted!r}"
            f"{did_you_mean(wanted, known)}"
        )
    base = copy.deepcopy(entries[wanted])
    if not isinstance(base, dict):
        return entry
    own, on_datasets = entry.get("params"), base.get("dataset_params")
    if isinstance(own, dict) and isinstance(on_datasets, dict):
        for params in on_datasets.values():
            for key in set(own) & set(params or {}):
                del params[key]
    if entry.get("engine_stage") is not None:
        for key in READY_MADE:
            base.pop(key, None)
    merge(base, entry)
    return base


def _add_variants_of_datasets(model: Any, datasets: dict[str, Any]) -> None:
    """Lay hyperparameters on a variant of a dataset over those on what it is like; in place."""
    params = model.get("dataset_params") if isinstance(model, dict) else None
    if not isinstance(params, dict):
        return
    for name, dataset in datasets.items():
        key = _key_of_base(dataset)
        base = params.get(dataset[key]) if key else None
        if isinstance(base, dict):
            own = copy.deepcopy(base)
            merge(own, params.get(name) or {})
            params[name] = own
