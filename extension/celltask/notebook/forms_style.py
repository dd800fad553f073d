"""How forms look: the colours of the page around them, light or dark."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
.celltask-form { max-width: 920px; padding: 4px 0 8px; }
.celltask-form .widget-html-content { line-height: 1.35; }
.celltask-field { margin: 1px 0 5px; }
.celltask-hint { margin-left: 160px; color: var(--jp-ui-font-color2, #616161); font-size: 12px; }
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
  padding: 6px 8px; margin: 2px 0; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 320px; overflow: auto; }
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
"""
