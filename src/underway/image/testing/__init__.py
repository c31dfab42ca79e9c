"""Tests in the image: the exact image, what it needs beside it, a verdict, and nothing left.

`plan`, `definition`, `verdict`, `junit` and `redaction` decide and reach nothing outside; `suite`,
`bench` and `leftovers` act through ports that are handed in.
"""
