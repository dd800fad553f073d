"""What a task's body means, for tasks that are no Python functions."""
