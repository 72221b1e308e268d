"""Datasets: how each is made, split and described by its card."""
