"""Every link of README and docs leads to a file that is there, and to a heading that it has."""

import re

import pytest

from tests.conftest import ROOT

PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(r"\bdocs/[\w/]+\.md\b")
"""A page that prose, a comment or a message calls by its path."""
TESTS = re.compile(r"`(tests/[\w/.*]+)`")
TEXTS = [
    path
    for pattern in ("*.md", "Makefile", "config/*.yaml", "docs/**/*.md", "resources/*.md")
    + ("rules/*.smk", "src/**/*.py", "tests/**/*.py", "requirements*.txt")
    for path in sorted(ROOT.glob(pattern))
]


def prose(path):
    """The text of a page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(path):
    """The anchors that GitHub gives to the headings of a page; a repeated one gets a number."""
    found = {}
    for heading in re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found[anchor] = found.get(anchor, -1) + 1
        if found[anchor]:
            found[f"{anchor}-{found[anchor]}"] = 0
    return found


def links(path):
    return [link for link in LINK.findall(prose(path)) if "://" not in link]


def test_the_pages_hold_links():
    assert len(PAGES) > 20
    assert sum(len(links(page)) for page in PAGES) > 50
    assert sum("#" in link for page in PAGES for link in links(page)) > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page):
    for link in links(page):
        name, _, anchor = link.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), link
        assert not anchor or anchor in anchors(there), link


def test_anchors_are_those_of_github(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A `b_c`: (1) / d-e\n```\n# no heading\n```\n## Cost\n### Cost\n")
    assert set(anchors(page)) == {"a-b_c-1--d-e", "cost", "cost-1"}


def test_pages_that_are_called_by_their_path_exist():
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in TEXTS
        for name in NAMED.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    }
    assert not missing


def test_tests_that_the_docs_name_exist():
    named = {name for page in PAGES for name in TESTS.findall(page.read_text())}
    assert len(named) > 20
    assert not [name for name in named if not list(ROOT.glob(name))]
