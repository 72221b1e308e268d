"""Schema and documentation of the configuration, made from its sections."""

import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from dismai.models import OURS, check_hparams
from dismai.pipeline.config import Config, kind_of

HEADER = """# Configuration

Made from `src/dismai/pipeline/config.py` by `make schema`; editors read `config/schema.json`.
`config/config.yaml` is paper scale; `--configfile` overlays unite mappings and replace lists. A
wrong key, type or value stops before any job, with exit code 2 and one line: key, expected, found,
and the name that was probably meant. Files are YAML in UTF-8. Snakemake reads them first: another
encoding is one line with `--profile profiles/local`, and an error of its own without.
"""
KIND = "which kind of entry this is"


def places_of_sections() -> dict[type[BaseModel], list[str]]:
    """Every section that the configuration can hold, and all the places where it stands."""
    found: dict[type[BaseModel], list[str]] = {}
    for section, place in _below(Config, ""):
        found.setdefault(section, []).append(place)
    return found


def _below(section: type[BaseModel], place: str) -> Iterator[tuple[type[BaseModel], str]]:
    yield section, place
    for name, field in section.model_fields.items():
        start, kind = place.split(" ")[0], place.partition(" ")[2]
        path = f"{start}.{name}".removeprefix(".")
        yield from _within(field.annotation, f"{path} {kind}".rstrip())


def _within(annotation: Any, place: str) -> Iterator[tuple[type[BaseModel], str]]:
    """Sections that a value of some type can hold."""
    path, _, kind = place.partition(" ")
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _below(annotation, place)
        return
    ends = {dict: ".NAME", list: "[]", tuple: "[]"}.get(get_origin(annotation), "")
    for argument in get_args(annotation):
        tag = kind_of(argument)
        told = f"(kind: {tag})" if tag != "trained" else "(trained)"  # what has no kind is trained
        own = told if tag and not kind else kind
        yield from _within(argument, f"{path}{ends} {own}".rstrip())


def hyperparameters() -> dict[str, type[BaseModel]]:
    """Sections of the hyperparameters of our architectures, by name."""
    return {name: type(check_hparams(name, {})) for name in sorted(OURS)}


def schema() -> str:
    """JSON schema of the whole configuration."""
    return json.dumps(Config.model_json_schema(), indent=2) + "\n"


def documentation() -> str:
    """One table a section: key, type, default, meaning."""
    parts = [HEADER]
    for section, (first, *others) in places_of_sections().items():
        also = f" Also: {', '.join(f'`{place}`' for place in others)}." if others else ""
        parts.append(_table(first or "top level", section, also))
    for name, section in hyperparameters().items():
        parts.append(_table(f"models.NAME.params (architecture: {name})", section, ""))
    return "\n".join(parts)


def _table(title: str, section: type[BaseModel], also: str) -> str:
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    properties = section.model_json_schema()["properties"]
    for name, field in section.model_fields.items():
        default = "required" if field.is_required() else "see its section"
        if field.default_factory is not None:
            default = "none"
        elif not field.is_required() and not isinstance(field.default, BaseModel):
            default = f"`{field.default!r}`"
        meaning = (field.description or KIND).replace("|", "\\|")
        rows.append(f"| `{name}` | {_type(properties[name])} | {default} | {meaning} |")
    summary = (section.__doc__ or "").strip().splitlines()[0]
    about = textwrap.fill(summary + also, 100, break_long_words=False, break_on_hyphens=False)
    return f"## {title}\n\n{about}\n\n" + "\n".join(rows) + "\n"


def _type(entry: dict[str, Any]) -> str:
    """Type of a field in words, from the schema."""
    if "const" in entry:
        return str(entry["const"])
    if "enum" in entry:
        return " or ".join(map(str, entry["enum"]))
    options = entry.get("anyOf", [entry])
    return " or ".join(option.get("type", "section") for option in options)


if __name__ == "__main__":
    if [Path(word).suffix for word in sys.argv[1:]] != [".json", ".md"]:
        sys.exit("usage: python -m dismai.pipeline.config_docs SCHEMA.json PAGE.md")
    Path(sys.argv[1]).write_text(schema())
    Path(sys.argv[2]).write_text(documentation())
