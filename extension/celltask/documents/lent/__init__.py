"""States of documents that `celltask watch` keeps, lent to tests of the same document."""
