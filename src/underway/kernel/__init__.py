"""Observe and apply: the loop every command shares. Knows ports, decides nothing about apps."""
