"""From generated structures to numbers: check, clean, describe, score."""
