"""All that needs IPython: the magics, what a cell shows, completion, and how failures are told."""
