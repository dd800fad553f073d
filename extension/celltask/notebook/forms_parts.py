"""What ipywidgets has no control for: a button that copies, a slider with a name, keys of a form, a kernel lost."""

from __future__ import annotations

import anywidget
import traitlets

__all__ = ["CopyButton", "Keys", "Slider"]

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
  el.classList.add("celltask-slider");
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


_KEYS = """
function render({ model, el }) {
  model.on("comm_live_update", () => {
    const told = document.createElement("p");
    told.className = "celltask-lost";
    told.setAttribute("role", "alert");
    told.textContent = "⚠ The kernel was lost. Run the cell again for a form that lives.";
    el.replaceChildren(told);
  });
  const stop = (event) => event.stopPropagation();
  const claim = (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true");
  const guard = setInterval(() => {
    const form = el.closest(".celltask-form");
    if (form === null) return;
    clearInterval(guard);
    form.addEventListener("keydown", stop); // JupyterLab hears of a key after the form
    form.addEventListener("focusin", claim); // Notebook 7 before it, and looks for this at what has the focus
  }, 50);
  return () => clearInterval(guard);
}
export default { render };
"""


class Keys(anywidget.AnyWidget):
    """Leaves the keys that are pressed in a form to the form: notebooks would move between cells, and delete them.

    It also says when the kernel is lost, since nothing in the form does anything then.
    """

    _esm = _KEYS


class Slider(anywidget.AnyWidget):
    """A slider with a name for screen readers, which that of ipywidgets has not."""

    _esm = _SLIDE
    value = traitlets.Float().tag(sync=True)
    min = traitlets.Float().tag(sync=True)
    max = traitlets.Float().tag(sync=True)
    step = traitlets.Float().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
