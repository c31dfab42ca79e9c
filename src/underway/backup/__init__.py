"""Backups: planned from what was observed, applied through stores, described by manifests.

`plan`, `steps`, `presets`, `retention` and `manifest` decide and reach nothing; `apply` acts.
"""
