"""Benchmarks: each prints ratios against a raw limit (or a peer) measured in the same run."""
