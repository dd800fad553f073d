"""Documents run without pytest: several at once in one process, told as pytest tells them, or kept as executed."""
