"""Datasets: one room a kind, their registry, what they share, trivial baselines."""
