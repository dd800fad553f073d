"""How values enter and leave tasks: one handler per family of types."""
