"""Libra: lawyers and their clients exchange files, encrypted at rest.

Who may see what is kept in PostgreSQL; the files themselves stand under one directory, sealed
with AES-256-GCM, and nowhere else.
"""
