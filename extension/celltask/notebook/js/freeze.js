// A kernel that dies cannot put the last picture in the place of the widget, nor can one that lives do so in a second
// tab of the same notebook, which does not know the output by its name. The page does it then, where it reaches the
// notebook's document (JupyterLab, Notebook 7): what is saved afterwards holds a picture and no dead widget.

const VIEW = "application/vnd.jupyter.widget-view+json";

/** Put a picture of the run, as it was last seen, in the place of every output that is this widget. */
function freeze(model, store) {
  const cells = model.widget_manager?.context?.model?.cells;
  if (!cells) return;
  let bundle;
  for (const cell of cells) {
    const outputs = cell.outputs;
    for (let place = 0; outputs && place < outputs.length; place += 1) {
      if (outputs.get(place).data?.[VIEW]?.model_id !== model.get("own_id")) continue;
      bundle ??= frozen(model, store);
      outputs.set(place, { output_type: "display_data", data: bundle, metadata: {} });
    }
  }
}

/** How the run was last seen, in words. */
function lastTold(name, store) {
  const after = durationTold(store.elapsed());
  if (store.isLost) return `Workflow ${name}: the kernel was lost ${after} after the run began.`;
  const counts = store.counts(store.children.get("") || []);
  const told = Object.entries(counts).map(([state, many]) => `${many} ${state}`).join(", ");
  return `Workflow ${name}: ${store.state} after ${after}; ${told}.`;
}

/** The run as it was last seen, by MIME type; it needs no script. */
function frozen(model, store) {
  const picture = new Picture(store, model.get("looks"), {});
  const svg = picture.sheet.querySelector("svg"), style = document.createElementNS(SVG, "style");
  style.textContent = store.sheet;
  svg.prepend(style);
  svg.setAttribute("role", "img");
  const told = lastTold(model.get("name"), store);
  const bytes = new TextEncoder().encode(new XMLSerializer().serializeToString(svg));
  const data = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const image = make("img", { alt: told, src: `data:image/svg+xml;base64,${data}`, style: "max-width:100%" });
  const figure = make("figure", { style: "margin:0" }, image, make("figcaption", {}, make("small", {}, told)));
  const page = make("div", {}, figure);
  for (const [id, known] of [...store.known].slice(0, 200)) {
    const facts = [known.why, known.error, known.log].filter(Boolean).map((text) => make("pre", {}, text));
    const summary = make("summary", {}, make("code", {}, store.nodes.get(id)?.label || id), ` · ${known.state || "queued"}`);
    page.append(make("details", {}, summary, ...facts));
  }
  return { "text/html": page.innerHTML, "text/plain": told };
}
