"""What a run cost: hours of its jobs from their benchmarks, and an estimate of the energy."""

from pathlib import Path

import pandas as pd

CORE_W = 12.0
"""Power of a busy processor core, W: the value for an unknown processor of Lannelongue et al.,
Advanced Science 8, 2100707 (2021), doi 10.1002/advs.202100707."""
MEMORY_W_PER_GB = 0.3725
"""Power of memory, W/GB, of the same source."""
OVERHEAD = 1.67
"""Power usage effectiveness: the world's average data centre, of the same source."""


def cost_of(folder: Path) -> pd.DataFrame:
    """Hours of the last run of every job that is still recorded, by rule.

    Columns: rule, jobs, hours (wall clock), processor_hours, memory_GB_hours, energy_kWh. The
    energy is processor time and resident memory times the powers above; a graphics processor is
    in none of the records.

    folder: of the results, with benchmarks/.
    """
    rows = []
    for path in sorted((folder / "benchmarks").rglob("*.tsv")):
        table = pd.read_csv(path, sep="\t", na_values=["-", "NA"])
        own = table[["s", "max_rss", "cpu_time"]].astype(float).fillna(0.0)
        hours = own["s"].sum() / 3600
        processor = own["cpu_time"].sum() / 3600
        memory = float((own["s"] / 3600 * own["max_rss"] / 1024).sum())
        rule = path.relative_to(folder / "benchmarks").parts[0].removesuffix(".tsv")
        rows.append((rule, 1, hours, processor, memory))
    columns = ["rule", "jobs", "hours", "processor_hours", "memory_GB_hours"]
    table = pd.DataFrame(rows, columns=columns).groupby("rule", as_index=False).sum()
    power = CORE_W * table["processor_hours"] + MEMORY_W_PER_GB * table["memory_GB_hours"]
    table["energy_kWh"] = OVERHEAD * power / 1000
    return table.sort_values(
        ["processor_hours", "rule"], ascending=[False, True], ignore_index=True
    )
