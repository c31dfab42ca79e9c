"""The test application for deploy tests: one file that runs alone, and how to build it."""
