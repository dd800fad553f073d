"""Shell examples of a document: found, run in a scratch folder where the page's own cells are a module, and judged."""
