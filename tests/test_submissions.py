"""The submissions that the repository holds are whole, and the page of results is made of ours."""

import pytest

from dismai.evaluation.submission import CARD
from dismai.pipeline.submit_checks import faults
from dismai.report.results import results_page
from tests.conftest import ROOT

OURS = ROOT / "results_mini"
PLACES = [OURS, *(ROOT / "submissions").glob("*")]
SUBMISSIONS = sorted(folder for folder in PLACES if (folder / CARD).is_file())
PAGE = ROOT / "docs" / "results.md"
NONE_YET = """# Results: none yet

The small benchmark ([what it takes](run.md#the-small-benchmark)) has not been run to its end; this
page will hold its tables. Run it, or a part of it, and [submit](submit.md) what came out.
"""


@pytest.mark.parametrize("folder", SUBMISSIONS, ids=lambda folder: folder.name)
def test_a_submission_of_the_repository_has_no_fault(folder):
    assert faults(folder) == []


def test_the_page_of_results_is_made_of_our_submission():
    """It says so where there is none."""
    made = results_page(OURS) if OURS in SUBMISSIONS else NONE_YET
    assert PAGE.read_text() == made, "make results"
