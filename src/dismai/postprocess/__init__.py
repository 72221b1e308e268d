"""Cleaning of generated structures."""
