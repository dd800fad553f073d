"""Where results stay."""
