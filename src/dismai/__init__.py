"""Dismai-Bench: judge generative models of disordered materials."""

__version__ = "0.1.0"
