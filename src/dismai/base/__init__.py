"""The ground: errors, settings, seeds, cards, atomic files. Imports nothing from other rooms."""
