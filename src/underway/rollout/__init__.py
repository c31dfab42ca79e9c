"""Replacing one generation by another: plans, undo as planning, traffic.

`plan`, `strategy`, `haproxy_config` and what they import decide and reach no I/O; `apply` acts.
"""
