"""How forms look: the colours of the page around them, light or dark."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
.celltask-form { max-width: 920px; padding: 4px 0 8px; }
.celltask-form .widget-html-content { line-height: 1.35; }
.celltask-field { margin: 1px 0 5px; }
.celltask-hint { margin-left: 158px; color: var(--jp-ui-font-color2, #616161); font-size: 12px; }
.celltask-hint code, .celltask-form pre, .celltask-form code { color: inherit; background: transparent; }
.celltask-error { color: var(--jp-error-color0, #b00020); font-weight: 600; margin-left: 6px; }
[data-jp-theme-light="false"] .celltask-error { color: #ff8a80; }
[data-jp-theme-light="false"] .celltask-form { color-scheme: dark; }
.celltask-label { text-align: right; padding-right: 8px; color: var(--jp-widgets-label-color, inherit); }
.celltask-bare > .widget-inline-hbox > .widget-label,
.celltask-quiet > .widget-label { position: absolute; width: 1px !important; height: 1px;
  min-width: 0; padding: 0; margin: 0; overflow: hidden; clip-path: inset(50%); }
.celltask-group { border-left: 3px solid var(--jp-border-color1, #bdbdbd); padding-left: 8px; margin: 2px 0; }
.celltask-form pre { background: var(--jp-layout-color2, rgba(127,127,127,.12)); color: var(--jp-content-font-color1);
  padding: 6px 8px; margin: 2px 0; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 320px; overflow: auto; }
.celltask-form :is(input, textarea, select, button, summary):focus-visible {
  outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: 1px; }
.celltask-group .widget-label { width: 90px !important; }
.celltask-group .widget-inline-hbox:not(.celltask-label) { width: 340px !important; }
.celltask-group .celltask-label { width: 90px !important; }
.celltask-form .celltask-bare > .widget-inline-hbox { width: 210px !important; }
.celltask-form select { appearance: auto !important; background-image: none !important; }
.celltask-form .widget-box { overflow: visible; }
.celltask-form table { font-size: 12px; border-collapse: collapse; border: none; margin: 4px 0; }
.celltask-form :is(td, th) { border: none; padding: 2px 10px; text-align: right; }
.celltask-form thead { border-bottom: 1px solid var(--jp-border-color1, #bdbdbd); }
.celltask-state { margin: 4px 0 4px 158px; }
.celltask-copy { cursor: pointer; }
"""
