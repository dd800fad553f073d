"""What ipywidgets has no control for: a button that copies a text, and a slider that says what it slides."""

from __future__ import annotations

import anywidget
import traitlets

__all__ = ["CopyButton", "Slider"]

_COPY = """
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

    _esm = _COPY
    text = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode("Copy").tag(sync=True)
    told = traitlets.Unicode("copy").tag(sync=True)


_SLIDE = """
function render({ model, el }) {
  const slider = document.createElement("input");
  slider.type = "range";
  slider.style.width = "190px";
  const show = () => {
    for (const name of ["min", "max", "step"]) slider.setAttribute(name, model.get(name));
    slider.setAttribute("aria-label", model.get("label"));
    slider.value = model.get("value");
  };
  slider.addEventListener("input", () => {
    model.set("value", Number(slider.value));
    model.save_changes();
  });
  model.on("change", show);
  show();
  el.append(slider);
}
export default { render };
"""


class Slider(anywidget.AnyWidget):
    """A slider with a name for screen readers, which that of ipywidgets has not."""

    _esm = _SLIDE
    value = traitlets.Float().tag(sync=True)
    min = traitlets.Float().tag(sync=True)
    max = traitlets.Float().tag(sync=True)
    step = traitlets.Float().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
