"""Kernels of other languages than Python, as they are installed for Jupyter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

if TYPE_CHECKING:
    from jupyter_client.kernelspec import KernelSpec

    from celltask.documents.outline import DocumentText

__all__ = ["installed_kernel", "reason_without_kernel"]


def installed_kernel(document: DocumentText) -> KernelSpec | None:
    """The kernel that `document` names, if it is of its language; else any of that; None if none is installed."""
    specs = KernelSpecManager(ensure_native_kernel=False)
    for name in sorted(specs.find_kernel_specs(), key=lambda name: (name != document.kernel, name)):
        try:
            spec = specs.get_kernel_spec(name)
        except (NoSuchKernel, ValueError):  # removed meanwhile, or broken
            continue
        if spec.language.lower() == document.language:
            return spec
    return None


def reason_without_kernel(document: DocumentText) -> str:
    """Why cells of `document`, which is of another language than Python, are not run; empty if they are."""
    if installed_kernel(document) is not None:
        return ""
    named = f", such as {document.kernel}" if document.kernel else ""
    return f"is {document.language}, of which no kernel is installed{named}"
