"""Lattices, cell lists and Voronoi cells: what metrics and datasets both stand on."""
