"""CGCNN, crystal graph convolutional neural networks (XIE 2018, PRL 120, 145301).

graph: a crystal as its atoms and the nearest neighbours of each.  network: convolution and network.
files: trained networks.
"""
