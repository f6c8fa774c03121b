"""Shipped weights: a folder each, read through `detect.weights`."""
