"""Metrics: plain functions on ASE Atoms."""
