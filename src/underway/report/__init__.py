"""What people and programs see: text, live progress, JSON lines and JSON documents.

Everything here is a function of events and model values; only `terminal` and `plain` write, to a
stream they are given. May import `underway.model` and `underway.errors`, and nothing else of ours.
"""
