"""Observe, apply, lock: the loop every command shares. Knows ports, decides nothing about apps."""
