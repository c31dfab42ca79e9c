"""Compose's canonical output becomes the specification: pure, text in and values out.

Only `loading` calls ports (Compose itself, files, password commands), each given as an argument;
everything else decides on what it is handed.
"""
