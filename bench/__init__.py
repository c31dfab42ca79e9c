"""Benchmarks: each one command, each prints ratios against the alternative of the same run."""
