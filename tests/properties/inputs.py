"""Inputs of CGCNN's network in torch, made from a graph."""

import torch

from dismai.properties.cgcnn.files import element_features
from dismai.properties.cgcnn.graph import Graph
from dismai.properties.cgcnn.network import bond_features


def inputs_of(graph: Graph, dtype: torch.dtype) -> tuple:
    """Arguments of `Network` for all crystals of a graph."""
    return (
        torch.from_numpy(element_features()[graph.numbers]).to(dtype),
        bond_features(torch.from_numpy(graph.distances)).to(dtype),
        torch.from_numpy(graph.neighbours),
        torch.from_numpy(graph.weights).to(dtype),
        torch.from_numpy(graph.crystal),
        graph.n_crystals,
    )
