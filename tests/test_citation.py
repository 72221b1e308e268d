"""CITATION.cff is what GitHub, Zenodo and cffconvert can read, and says what is so.

tests/data/cff-1.2.0.schema.json: the schema of the Citation File Format 1.2.0, CC-BY-4.0,
https://doi.org/10.5281/zenodo.5171937, white space taken out.
"""

import json
import re
import tomllib

import jsonschema
import pytest
import yaml

from dismai import __version__
from tests.conftest import ROOT


class AsWritten(yaml.SafeLoader):
    """YAML whose dates stay text, as the schema wants them."""


AsWritten.add_constructor("tag:yaml.org,2002:timestamp", AsWritten.construct_yaml_str)
CITATION = yaml.load((ROOT / "CITATION.cff").read_text(), Loader=AsWritten)
SCHEMA = json.loads((ROOT / "tests" / "data" / "cff-1.2.0.schema.json").read_text())


def test_the_citation_is_valid():
    jsonschema.validate(CITATION, SCHEMA, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("key", ["authors", "title", "type"])
def test_a_reference_without_its_parts_would_be_refused(key):
    reference = {name: value for name, value in CITATION["references"][0].items() if name != key}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(CITATION | {"references": [reference]}, SCHEMA)


def test_every_reference_has_authors_and_a_doi():
    for reference in CITATION["references"]:
        assert all({"family-names", "given-names"} <= set(one) for one in reference["authors"])
        assert re.fullmatch(r"10\.\d{4}/\S+", reference["doi"])


def test_the_version_and_date_are_those_of_the_changelog():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["dynamic"] == ["version"]  # hatch reads it where Python does
    assert CITATION["version"] == __version__
    assert CITATION["license"] == project["license"]
    heading = re.search(r"^## (\S+) \((.+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    version, released = heading.groups()
    assert version == __version__
    assert CITATION.get("date-released", "unreleased") == released
