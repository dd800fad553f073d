"""Expected output: what a document says that its cells show, compared with what they do show, and promoted."""
