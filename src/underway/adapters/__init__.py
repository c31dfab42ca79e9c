"""What speaks to the outside: engines, ssh, programs, ledgers, locks.

One module or package per port. Foreign exceptions end here: what leaves an adapter is an error of
`underway.errors`. Third-party I/O libraries are imported here only, and only when used.
"""
