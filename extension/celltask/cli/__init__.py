"""The command line: `celltask run`, `tasks`, `graph` and `show`."""
