"""Composition root only: the command line, settings, `up`, the demonstration district, benchmarks' entry points."""
