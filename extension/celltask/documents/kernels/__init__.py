"""Kernels of documents: forked from a warmed server where that is possible, else started; driven by nbclient."""
