"""Underway keeps a Compose application running in production."""

__version__ = "0.1.0"
