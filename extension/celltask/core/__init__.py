"""The core: interfaces, tasks, graphs, plans and runs; it knows nothing of notebooks and needs only the standard library."""
