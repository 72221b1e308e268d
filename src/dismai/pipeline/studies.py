"""Which models run on which datasets: selections of runs, those of the studies, what these need."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from dismai.base.kinds import KINDS
from dismai.base.section import Section
from dismai.models.settings import TrainedModel

Seed = Annotated[int, Field(ge=0)]


class Selection(Section):
    """Models trained on datasets with seeds: every combination is one run."""

    datasets: list[str] = Field(min_length=1, description="names under datasets")
    models: list[str] = Field(description="names under models; none: baselines only")
    seeds: list[Seed] = Field(min_length=1, description="one training each")

    @model_validator(mode="after")
    def _each_once(self):
        for key in ("datasets", "models", "seeds"):
            chosen = getattr(self, key)
            twice = next((entry for entry in chosen if chosen.count(entry) > 1), None)
            if twice is not None:
                raise ValueError(f"{key}: expected each once, found {twice!r} twice")
        return self


class Studies(Section):
    """Runs of the papers' studies, beside those of the tables and of the ranking."""

    gan: list[Selection] = Field([], description="variants of CryinGAN (`study_gan`)")
    interface: list[Selection] = Field(
        [], description="a model whose interfaces are looked at closely (`study_interface`)"
    )
    ablation: list[Selection] = Field(
        [], description="models with a switch on, or drawn from in other steps (`study_ablation`)"
    )


def check_studies(studies: Studies, models: Mapping[str, Any], datasets: Mapping[str, Any]) -> None:
    """ValueError unless there is what the tables of every study are made from."""
    wanted: tuple[tuple[str, str, Callable[[Any], bool], str], ...] = (
        ("gan", "models", _is_cryingan, "models of architecture cryingan"),
        ("interface", "datasets", _is_continued, "datasets with an engine_stage"),
        ("ablation", "models", _is_trained, "models that the workflow trains"),
        ("ablation", "datasets", _is_of_one_composition, "datasets of one composition"),
    )
    entries = {"models": models, "datasets": datasets}
    for study, key, fits, words in wanted:
        for index, selection in enumerate(getattr(studies, study)):
            for name in getattr(selection, key):
                if not fits(entries[key][name]):
                    place = f"studies.{study}.{index}.{key}"
                    raise ValueError(f"{place}: expected {words}, found {name!r}")


def _is_cryingan(model: Any) -> bool:
    return getattr(model, "architecture", None) == "cryingan"


def _is_continued(dataset: Any) -> bool:
    return getattr(dataset, "engine_stage", None) is not None


def _is_trained(model: Any) -> bool:
    return isinstance(model, TrainedModel)


def _is_of_one_composition(dataset: Any) -> bool:
    return bool(KINDS[dataset.kind].composition)
