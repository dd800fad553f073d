"""What is wrong with documents though they can be run: cells that other readers pass over, names that do not exist."""
