"""The ranking of models over several datasets, and how sure it is: the work of `dismai rank`.

On each dataset the headline metric ranks, by the rules of `evaluation.standing`. What was not
run, failed, or has too few structures shares the last place, behind all that are ranked. Over all
datasets the mean of the ranks decides. Baselines stand beside: their rank is the place that they
would take among the models.

How sure an order is comes from a bootstrap over trainings and structures (`evaluation.resampling`):
two models are tied where either order comes up in more than 2.5 % of the resamples.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from dismai.base.errors import InputError
from dismai.base.kinds import KINDS, in_our_order, kind_name
from dismai.evaluation.resampling import Draws, draws_of
from dismai.evaluation.standing import RANKED_REASONS, Standing, ranks_of, standing

NOT_RUN = "not run"
BASELINE, PUBLISHED = "baseline", "published"
LIMITS = (2.5, 97.5)
"""Percentiles of the resamples: 95 % lie between."""


def headlines_of(metrics: pd.DataFrame) -> dict[str, str]:
    """The headline metric of every dataset of a table, in the order of our kinds.

    Raises:
        InputError: a set of ours that was scored without it; it would be left out in silence.
    """
    names = in_our_order(metrics["dataset"].unique())
    headlines = {name: KINDS[kind_name(name)].headline for name in names}
    ours = metrics[metrics["kind"] != PUBLISHED]
    for (dataset, model), rows in ours.groupby(["dataset", "model"], sort=False):
        if not (rows["metric"] == headlines[dataset]).any():
            raise InputError(
                f"{dataset}, {model}: expected the metric {headlines[dataset]}, by which models "
                "are ranked, found none"
            )
    return headlines


def ranking(metrics: pd.DataFrame, headlines: Mapping[str, str]) -> pd.DataFrame:
    """Models by their mean rank over datasets, baselines below them.

    Args:
        metrics: one row a training and metric, columns of `METRICS_SCHEMA`, and where they are
            known the paths of `evaluation.resampling.with_features`.
        headlines: the metric that ranks on each dataset; all of them count.

    Returns:
        One row a model: place, model, kind, n_ranked (datasets with a rank of its own), note,
        mean_rank, mean_rank_low, mean_rank_high, place_low, place_high (95 % of the resamples)
        and tied (models whose order with it is not sure, `; ` between). For each dataset rank_,
        best_rank_, worst_rank_ (95 %), drawn_ (what was resampled), tied_, value_, least_value_,
        greatest_value_ (of the trainings, or the interval of a single one), n_ and share_
        (accepted structures of the poorest training, and of all that were generated) and note_
        (why it has no rank of its own). A model that has a rank nowhere has no mean rank and no
        place.
    """
    chosen = metrics[metrics["metric"] == metrics["dataset"].map(headlines)]
    kinds = dict(zip(chosen["model"], chosen["kind"], strict=True))
    models = [name for name, kind in kinds.items() if kind != BASELINE]
    columns: dict[str, dict[str, object]] = {}
    resampled = []
    for dataset, metric in headlines.items():
        rows = chosen[chosen["dataset"] == dataset]
        ranked = _on_dataset(rows, metric, list(kinds), models)
        columns |= {f"{name}_{dataset}": column for name, column in ranked.columns.items()}
        resampled.append(ranked.resampled)
    wide = pd.DataFrame({"model": list(kinds), "kind": list(kinds.values())}).set_index("model")
    wide = wide.join(pd.DataFrame(columns, index=wide.index))
    for dataset in headlines:
        wide[f"n_{dataset}"] = wide[f"n_{dataset}"].astype("Int64")
    wide = _over_datasets(wide, list(headlines), models, np.mean(resampled, axis=0))
    beside = wide["kind"] == BASELINE
    ordered = wide.assign(beside=beside).reset_index()
    ordered = ordered.sort_values(["beside", "mean_rank", "model"], ignore_index=True)
    first = ["place", "model", "kind", "mean_rank", "n_ranked", "note", *CONFIDENCE]
    return ordered[first + [name for name in ordered if name not in {*first, "beside"}]]


def resampled_ranks(metrics: pd.DataFrame, headlines: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """Ranks of all models in every resample, by dataset: a row a resample, a column a model.

    Arguments are those of `ranking`.
    """
    chosen = metrics[metrics["metric"] == metrics["dataset"].map(headlines)]
    kinds = dict(zip(chosen["model"], chosen["kind"], strict=True))
    models = [name for name, kind in kinds.items() if kind != BASELINE]
    found = {}
    for dataset, metric in headlines.items():
        rows = chosen[chosen["dataset"] == dataset]
        drawn = _on_dataset(rows, metric, list(kinds), models).resampled
        found[dataset] = pd.DataFrame(drawn, columns=models)
    return found


CONFIDENCE = ["place_low", "place_high", "mean_rank_low", "mean_rank_high", "tied"]


class _Ranked(NamedTuple):
    """Columns of one dataset, each a value by model; ranks of the models, (n_resamples, n)."""

    columns: dict[str, dict[str, object]]
    resampled: np.ndarray


def _on_dataset(
    rows: pd.DataFrame, metric: str, names: Sequence[str], models: Sequence[str]
) -> _Ranked:
    """Ranks of all models and baselines on one dataset."""
    sets = {name: part for name, part in rows.groupby("model", sort=False)}
    stands = {name: standing(part, metric) for name, part in sets.items()}
    draws = {name: draws_of(part, metric) for name, part in sets.items() if stands[name].ranked}
    own = {name: draws[name] for name in models if name in draws}
    drawn = _drawn_ranks([own.get(name) for name in models])
    shown: dict[str, dict[str, object]] = {"rank": _ranks(stands, models, names)}
    low, high = np.percentile(drawn, LIMITS, axis=0, method="nearest")
    shown["best_rank"] = dict(zip(models, low, strict=True))
    shown["worst_rank"] = dict(zip(models, high, strict=True))
    shown["drawn"] = {name: draws[name].drawn_from if name in draws else "" for name in names}
    ties = _ties(models, drawn, [name in own for name in models])
    shown["tied"] = {name: ties.get(name, "") for name in names}
    values = {name: _value(part) for name, part in sets.items()}
    for k, column in enumerate(("value", "least_value", "greatest_value")):
        shown[column] = {name: value[k] for name, value in values.items()}
    shown["n"] = {name: int(part["n_accepted"].min()) for name, part in sets.items()}
    shown["share"] = {
        name: part["n_accepted"].sum() / part["n_generated"].sum() for name, part in sets.items()
    }
    shown["note"] = {n: stands[n].reason if n in stands else NOT_RUN for n in names}
    columns = {
        name: {model: column.get(model, np.nan) for model in names}
        for name, column in shown.items()
    }
    return _Ranked(columns, drawn)


def _value(rows: pd.DataFrame) -> tuple[float, float, float]:
    """Mean over trainings with the least and greatest; of one training its interval."""
    if len(rows) == 1:
        row = rows.iloc[0]
        return row["value"], row["ci_low"], row["ci_high"]
    return rows["value"].mean(skipna=False), rows["value"].min(), rows["value"].max()


def _ranks(
    stands: Mapping[str, Standing], models: Sequence[str], names: Sequence[str]
) -> dict[str, float]:
    """Rank of every set on one dataset; nan for a baseline that was not run or failed."""
    own = [name for name in models if name in stands]
    ranks = dict(zip(own, ranks_of([stands[name] for name in own]), strict=True))
    last = 1 + sum(rank is not None for rank in ranks.values())
    found = {name: ranks.get(name) or last for name in models}
    for name in names:
        if name not in found:  # a baseline: the place that it would take
            beside = [*(stands[other] for other in own), stands.get(name)]
            known = beside[-1] is not None and beside[-1].ranked
            found[name] = ranks_of(beside)[-1] if known else np.nan
    return found


def _drawn_ranks(draws: Sequence[Draws | None]) -> np.ndarray:
    """Rank of every model in every resample, (n_resamples, n_models); None: the last place."""
    known = [one for one in draws if one is not None]
    n_resamples = Draws.N_RESAMPLES
    ranks = np.full((n_resamples, len(draws)), 1 + len(known))
    for i, one in enumerate(draws):
        if one is not None:
            ranks[:, i] = 1 + sum(other.better_than(one) for other in known if other is not one)
    return ranks


def _ties(models: Sequence[str], values: np.ndarray, can_rank: Sequence[bool]) -> dict[str, str]:
    """Models whose order with each model is not sure, by their values in all resamples.

    values: smaller is better, (n_resamples, n_models).
    """
    ties: dict[str, list[str]] = {name: [] for name in models}
    chosen = [i for i, able in enumerate(can_rank) if able]
    for i in chosen:
        for j in chosen:
            before = (values[:, i] < values[:, j]).mean() + (
                values[:, i] == values[:, j]
            ).mean() / 2
            if i != j and LIMITS[0] < 100 * before < LIMITS[1]:
                ties[models[i]].append(models[j])
    return {name: "; ".join(others) for name, others in ties.items()}


def _over_datasets(
    wide: pd.DataFrame, datasets: Sequence[str], models: Sequence[str], mean_ranks: np.ndarray
) -> pd.DataFrame:
    """The table with places over all datasets.

    mean_ranks: of the models in every resample, (n_resamples, n_models).
    """
    wide["n_ranked"] = [
        sum(row[f"note_{name}"] in RANKED_REASONS for name in datasets)
        for _, row in wide.iterrows()
    ]
    wide["note"] = [summary(row[f"note_{name}"] for name in datasets) for _, row in wide.iterrows()]
    ranked = (wide["kind"] != BASELINE) & (wide["n_ranked"] > 0)
    own = wide[[f"rank_{dataset}" for dataset in datasets]]
    wide["mean_rank"] = own.mean(axis=1).where(ranked)
    wide["place"] = wide["mean_rank"].rank(method="min").astype("Int64")
    able = [bool(ranked[name]) for name in models]
    compared = np.where(able, np.round(mean_ranks, 9), np.inf)
    drawn_places = 1 + (compared[:, :, None] > compared[:, None, :]).sum(axis=2)
    for column, drawn in (("mean_rank", mean_ranks), ("place", drawn_places)):
        limits = np.percentile(drawn, LIMITS, axis=0, method="nearest")
        for end, limit in zip(("low", "high"), limits, strict=True):
            by_model = pd.Series(limit, index=list(models), dtype=float)
            wide[f"{column}_{end}"] = by_model.reindex(wide.index).where(ranked)
    ties = _ties(models, compared, able)
    wide["tied"] = [ties.get(name, "") for name in wide.index]
    return wide


def summary(notes: Iterable[str]) -> str:
    """On how many datasets a model failed, has too few structures, or was not run."""
    notes = list(notes)
    counts = pd.Series([short(note) for note in notes if note], dtype=str)
    counts = counts.value_counts(sort=False)
    return "; ".join(f"{note} on {n} of {len(notes)}" for note, n in counts.items())


def short(note: str) -> str:
    """A reason without the number of structures that stands before it."""
    return "too few" if note.startswith("only") else note.partition(":")[0]
