"""Generative models behind one contract."""
