"""Benchmarks that need everything composed; each prints ratios and counts that can be compared between machines."""
