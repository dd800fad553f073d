"""What the settings of pytest say about documents, asked of pytest itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.documents.project import Settings
from celltask.documents.pytest_plugin import memory_of

if TYPE_CHECKING:
    import pytest

__all__ = ["settings_of"]


def settings_of(config: pytest.Config) -> Settings:
    """What the settings of pytest say about documents."""
    return Settings(
        config.rootpath,
        tuple(config.getini("celltask_documents")),
        timeout_s=float(config.getini("celltask_timeout")),
        document_timeout_s=float(config.getini("celltask_document_timeout") or "inf"),
        nested=config.getini("celltask_nested"),
        parametrize=tuple(config.getini("celltask_parametrize")),
        sanitize=tuple(config.getini("celltask_sanitize")),
        expected_rtol=config.getini("celltask_expected_rtol"),
        compares_notebooks=config.getini("celltask_notebook_outputs"),
        most_output=int(float(config.getini("celltask_output_limit")) * 1e6),
        memory_mib=memory_of(config),
        folder=config.getini("celltask_cwd"),
        filters=_filters(config),
    )


def _filters(config: pytest.Config) -> tuple[tuple[object, ...], ...]:
    """Warning filters as pytest has them: its settings, then ``-W``."""
    from _pytest.config import parse_warning_filter  # noqa: PLC0415 - pytest has no public way to read them

    given = [(text, False) for text in config.getini("filterwarnings")]
    given += [(text, True) for text in config.known_args_namespace.pythonwarnings or ()]
    found = []
    for text, escape in given:
        action, message, category, module, line = parse_warning_filter(text, escape=escape)
        is_built_in = category.__module__ == "builtins"
        name = category.__name__ if is_built_in else f"{category.__module__}.{category.__name__}"
        found.append((action, message, name, module, line))
    return tuple(found)
