"""The laboratory: real Docker hosts on one Linux machine, for tests, demonstrations and benchmarks.

A host is one process tree in namespaces of its own (network, PID, mount, UTS, IPC), with a Debian
root file system on a bounded disk, one Docker engine and one SSH server. Standard library only.
"""
