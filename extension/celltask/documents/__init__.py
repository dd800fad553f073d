"""Documents that hold tasks (MyST pages, scripts, notebooks, modules), read with exact lines and loaded."""
