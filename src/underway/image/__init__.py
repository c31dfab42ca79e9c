"""From source to the same image on every host: build, tag, push, pull, send.

`reference`, `tags`, `definition`, `archive`, `steps` and `plan` decide and reach nothing outside;
`apply`, `ship` and `tools` act through ports that are handed in.
"""
