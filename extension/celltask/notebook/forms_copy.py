"""A button that copies a text: the one thing that no control of ipywidgets does."""

from __future__ import annotations

import anywidget
import traitlets

__all__ = ["CopyButton"]

_ESM = """
function render({ model, el }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "celltask-copy lm-Widget jupyter-widgets jupyter-button widget-button";
  button.style.width = "auto";
  const rest = () => {
    button.textContent = model.get("label");
    button.setAttribute("aria-label", model.get("told"));
  };
  const copy = async () => {
    const text = model.get("text");
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.textContent = "Copied";
    button.setAttribute("aria-label", "copied");
    setTimeout(rest, 1500);
  };
  button.addEventListener("click", copy);
  rest();
  el.append(button);
}
export default { render };
"""


class CopyButton(anywidget.AnyWidget):
    """Copies `text` to the clipboard of the page; `told` is read out."""

    _esm = _ESM
    text = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode("Copy").tag(sync=True)
    told = traitlets.Unicode("copy").tag(sync=True)
