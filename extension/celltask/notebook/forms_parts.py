"""What ipywidgets has no control for: a button that copies, a slider with a name, keys of a form, a kernel lost."""

from __future__ import annotations

import anywidget
import traitlets

__all__ = ["CopyButton", "Keys", "SecretField", "Slider"]

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


_DOTS = """
let count = 0;
function render({ model, el }) {
  el.classList.add("jupyter-widgets", "widget-inline-hbox", "widget-text");
  const label = document.createElement("label");
  label.className = "widget-label";
  label.style.width = "150px";
  const input = document.createElement("input");
  input.type = "password";
  input.autocomplete = "off";
  input.id = `celltask-secret-${model.model_id ?? ""}-${count++}`;
  label.htmlFor = input.id;
  const show = () => {
    label.textContent = model.get("description");
    input.placeholder = model.get("placeholder");
  };
  const empty = (message) => { if (message.empty) input.value = ""; };
  input.addEventListener("input", () => model.send({ typed: input.value }));
  model.on("change", show);
  model.on("msg:custom", empty);
  show();
  el.append(label, input);
  return () => {
    model.off("change", show);
    model.off("msg:custom", empty);
  };
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


class SecretField(anywidget.AnyWidget):
    """A line that shows dots. What was typed is sent once, and is no part of the state, which notebooks save."""

    _esm = _DOTS
    value = traitlets.Unicode()
    description = traitlets.Unicode().tag(sync=True)
    placeholder = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: object) -> None:
        super().__init__(**traits)
        self.on_msg(self._take)

    def _take(self, _: object, content: dict[str, object], __: object) -> None:
        self.value = str(content.get("typed", ""))

    def show(self, value: str) -> None:
        """Let `value` be what was typed; on the page, only an empty one changes anything."""
        if value != self.value:
            self.value = value
            if not value:
                self.send({"empty": True})


class Slider(anywidget.AnyWidget):
    """A slider with a name for screen readers, which that of ipywidgets has not."""

    _esm = _SLIDE
    value = traitlets.Float().tag(sync=True)
    min = traitlets.Float().tag(sync=True)
    max = traitlets.Float().tag(sync=True)
    step = traitlets.Float().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
