"""The core: interfaces, tasks, graphs, plans and runs.

It knows nothing of notebooks, and importing it needs only the standard library.
"""
