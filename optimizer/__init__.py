"""Resource decisions: how many instances, on which machine, with how many cores and how much memory.

Empty in this version, which runs a statement in one process.
"""
