"""How forms look: the colours of the page around them, light or dark."""

from __future__ import annotations

__all__ = ["STYLE"]

# Of the last rule: VS Code and Colab give widgets the light colours of JupyterLab on dark pages too.
STYLE = """
.celltask-form { max-width: 920px; padding: 4px 0 8px; }
.celltask-form .widget-html-content { line-height: 1.35; }
.celltask-field { margin: 1px 0 5px; }
.celltask-hint { margin-left: 160px; font-size: 12px;
  color: color-mix(in srgb, var(--jp-ui-font-color1, #222) 85%, transparent); }
.celltask-hint code, .celltask-form pre, .celltask-form code { color: inherit; background: transparent; }
.celltask-error { color: var(--jp-error-color0, #b00020); font-weight: 600; margin-left: 6px; align-self: flex-start; }
.celltask-error .widget-html-content { padding-top: 5px; }
.celltask-error:not(:has([role="alert"])) { display: none; }
.celltask-field > .widget-hbox { flex-wrap: wrap; }
.celltask-field > .widget-hbox:has(> .celltask-wide) { flex-wrap: nowrap; }
.celltask-form .jupyter-button, .celltask-label { flex-shrink: 0; }
.celltask-field > .widget-hbox > .celltask-plain,
.celltask-field > .widget-hbox > .celltask-plain > .celltask-hold,
.celltask-field > .widget-hbox > .celltask-plain > .celltask-hold > .celltask-plain { display: contents; }
.celltask-field > .widget-hbox > .celltask-plain > .celltask-error,
.celltask-field > .widget-hbox > .celltask-plain > .celltask-hold > .celltask-plain > .celltask-error {
  order: 1; flex: 1 1 180px; }
.celltask-wide > .celltask-error, .celltask-form .celltask-group .celltask-error { --at: 160px;
  width: 0; min-width: 100%; margin: 0; }
.celltask-form .celltask-group .celltask-error { --at: 2px; }
.celltask-form .celltask-group .celltask-plain:not(.celltask-bare) > .celltask-error { --at: 100px; }
.celltask-wide > .celltask-error > .widget-html-content, .celltask-group .celltask-error > .widget-html-content {
  flex: 0 0 auto; width: max-content; max-width: max(100% - var(--at), 290px); margin-left: var(--at);
  padding: 0 0 4px; overflow-wrap: anywhere; }
.celltask-row > .celltask-bare:first-child:nth-last-child(3) > .celltask-error > .widget-html-content {
  max-width: 100%; }
.celltask-field > .widget-hbox > .celltask-plain > .celltask-hold > .celltask-wide {
  order: 2; flex: 1 0 100%; padding-left: 156px; }
.celltask-group .celltask-hold:has(> .celltask-wide) { flex: 0 0 100%; padding-left: 96px; }
.celltask-group .celltask-bare > .celltask-hold:has(> .celltask-wide) { padding-left: 0; }
[data-jp-theme-light="false"] .celltask-error { color: #ff8a80; }
[data-jp-theme-light="false"] .celltask-form { color-scheme: dark; }
.celltask-label { text-align: right; padding: 5px 0 0; color: var(--jp-widgets-label-color, inherit); }
.celltask-bare > .widget-inline-hbox > .widget-label,
.celltask-quiet > .widget-label { position: absolute; width: 1px !important; height: 1px;
  min-width: 0; padding: 0; margin: 0; overflow: hidden; clip-path: inset(50%); }
.celltask-group { border-left: 3px solid var(--jp-border-color1, #bdbdbd); padding-left: 8px; margin: 0 0 2px 4px; }
.celltask-row { flex-wrap: wrap; }
.celltask-group .celltask-plain:has(> .celltask-hold) { align-items: flex-start !important; }
.celltask-row .celltask-group { border: 1px solid var(--jp-border-color1, #bdbdbd); border-left-width: 3px;
  padding: 2px 6px 2px 8px; }
.celltask-group .celltask-hint { margin-left: 100px; }
.celltask-form pre { background: var(--jp-layout-color2, rgba(127,127,127,.12)); color: var(--jp-content-font-color1);
  padding: 6px 8px; margin: 2px 0; white-space: pre-wrap; word-break: normal; overflow-wrap: anywhere;
  max-height: 320px; overflow: auto; }
.celltask-form :is(input, textarea, select, button, summary):focus-visible {
  outline: 2px solid var(--jp-brand-color1, #1976d2) !important; outline-offset: 1px; }
.celltask-group .widget-label { width: 90px !important; }
.celltask-group .widget-inline-hbox:not(.celltask-label, .celltask-error) { width: 340px !important; }
.celltask-group .celltask-label { width: 90px !important; }
.celltask-group .celltask-plain:has(> .celltask-hold) > .widget-inline-hbox { width: 220px !important; }
.celltask-group .celltask-plain > .celltask-quiet { width: 220px !important; }
.celltask-form .celltask-bare > .widget-inline-hbox:not(.celltask-error) { width: 210px !important; }
.celltask-form select { appearance: auto !important; background-image: none !important; }
.celltask-form .widget-box { overflow: visible; }
.celltask-slider { display: flex; align-items: center; height: 32px; }
.celltask-quiet input { box-sizing: border-box; width: 100%; height: var(--jp-widgets-inline-height, 28px);
  padding: 0 8px; border: 1px solid var(--jp-widgets-input-border-color, #9e9e9e); font-size: 13px;
  color: var(--jp-widgets-input-color, inherit); background: var(--jp-widgets-input-background-color, transparent); }
.celltask-upload { font-size: 0; }
.celltask-upload > i { font-size: 13px; }
.celltask-upload::after { content: "Upload"; font-size: 13px; }
.celltask-form table { font-size: 12px; border-collapse: collapse; border: none; margin: 4px 0; }
.celltask-form :is(td, th) { border: none; padding: 2px 10px; text-align: right; }
.celltask-form thead { border-bottom: 1px solid var(--jp-border-color1, #bdbdbd); }
.celltask-state { margin: 4px 0 4px 160px; }
.celltask-lost { color: var(--jp-error-color0, #b00020); font-weight: 600; margin: 4px 0 4px 160px; }
[data-jp-theme-light="false"] .celltask-lost { color: #ff8a80; }
.celltask-copy { cursor: pointer; }
:is(html[theme="dark"], .vscode-dark, .vscode-high-contrast:not(.vscode-high-contrast-light)) .celltask-form {
  --ct-paper: var(--vscode-editor-background, var(--colab-primary-surface-color, #1e1e1e));
  --ct-ink: var(--vscode-editor-foreground, var(--colab-primary-text-color, #e3e3e3));
  --ct-raised: color-mix(in srgb, var(--ct-ink) 12%, var(--ct-paper));
  --jp-layout-color0: var(--ct-paper); --jp-layout-color1: var(--ct-paper); --jp-layout-color2: var(--ct-raised);
  --jp-layout-color3: var(--ct-raised); --jp-widgets-input-background-color: var(--ct-raised);
  --jp-ui-font-color0: var(--ct-ink); --jp-ui-font-color1: var(--ct-ink); --jp-content-font-color1: var(--ct-ink);
  --jp-ui-font-color2: color-mix(in srgb, var(--ct-ink) 80%, var(--ct-paper));
  --jp-widgets-color: var(--ct-ink); --jp-widgets-label-color: var(--ct-ink);
  --jp-widgets-readout-color: var(--ct-ink); --jp-widgets-input-color: var(--ct-ink);
  --jp-border-color1: #8a8a8a; --jp-border-color2: #6a6a6a; --jp-widgets-input-border-color: #8a8a8a;
  --jp-error-color0: #ff8a80; --jp-brand-color1: #4493f8;
  color: var(--ct-ink); background: var(--ct-paper); color-scheme: dark; padding: 4px 8px 8px; }
"""
