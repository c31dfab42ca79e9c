"""The commands: thin, one function each, over `underway.api`.

Modules here import click and the standard library; everything heavier is imported inside the
command that needs it, so that `underway --help` answers at once.
"""
