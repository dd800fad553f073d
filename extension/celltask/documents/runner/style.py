"""Colours and measures of the page with executed documents."""

from __future__ import annotations

__all__ = ["STYLE", "code_styles"]

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #f4f5f7; --line: #d0d4da; --faint: #59636e;
  --bad: #b3261e; --bad-soft: #fdeceb; --good: #1a7f37; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --paper: #14171a; --soft: #1e2226; --line: #3a4047; --faint: #9aa4af;
    --bad: #ff8a80; --bad-soft: #3a1f1e; --good: #6fdd8b; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
a { color: inherit; }
pre, code { font: 13px/1.45 ui-monospace, Menlo, Consolas, monospace; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0; padding: .5rem .7rem; }
.summary { font-size: 1.15rem; }
.failures { border-left: 4px solid var(--bad); background: var(--bad-soft); padding: .6rem .6rem .6rem 2rem; }
.document { border: 1px solid var(--line); border-radius: 6px; margin: 1rem 0; padding: 0 1rem; }
.document > summary { cursor: pointer; padding: .6rem 0; font-weight: 600; }
.document.failed > summary { color: var(--bad); }
.document.passed > summary::after { content: " \\2713"; color: var(--good); }
.cell { border-left: 3px solid var(--line); padding-left: .8rem; margin: 1rem 0; }
.cell.failed { border-color: var(--bad); }
.cell.passed { border-color: var(--good); }
.cell > header { font-size: .8rem; color: var(--faint); overflow-wrap: anywhere; }
.code pre { background: var(--soft); border-radius: 4px; }
.error { background: var(--bad-soft); color: var(--bad); border-radius: 4px; }
.stderr { border-left: 3px solid var(--faint); color: var(--faint); }
.prose img, .cell img { max-width: 100%; background: #fff; }
.prose table { border-collapse: collapse; }
.prose td, .prose th { border: 1px solid var(--line); padding: .2rem .6rem; }
iframe { width: 100%; border: 1px solid var(--line); border-radius: 4px; resize: vertical; }
"""


def code_styles() -> str:
    """The colours of code, for light and for dark."""
    from pygments.formatters.html import HtmlFormatter  # type: ignore[import-untyped]  # noqa: PLC0415 - 30 ms

    light, dark = (HtmlFormatter(style=name).get_style_defs(".code") for name in ("default", "monokai"))
    plain = ".code, .code pre { background: var(--soft); } .code .err { border: 0; background: none; }"
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n{plain}\n"
