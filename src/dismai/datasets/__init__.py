"""Datasets: one room a kind, what kinds share, trivial baselines."""
