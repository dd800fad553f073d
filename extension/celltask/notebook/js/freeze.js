// A kernel that dies cannot put the last picture in the place of the widget. The page does it then, where it reaches
// the notebook's document (JupyterLab, Notebook 7): what is saved afterwards holds a picture and no dead widget.

const VIEW = "application/vnd.jupyter.widget-view+json";

async function freeze(model, store) {
  const manager = model.widget_manager, cells = manager?.context?.model?.cells;
  if (!cells) return;
  const bundle = frozen(model, store);
  for (const cell of cells) {
    const outputs = cell.outputs;
    for (let place = 0; outputs && place < outputs.length; place += 1) {
      const output = outputs.get(place), id = output.data?.[VIEW]?.model_id;
      if (!id || !(await isOurs(manager, id, model.get("key")))) continue;
      outputs.set(place, { output_type: "display_data", data: bundle, metadata: {} });
    }
  }
}

async function isOurs(manager, id, key) {
  try {
    return (await manager.get_model(id)).get("key") === key;
  } catch {
    return false;
  }
}

/** The run as it was last seen, by MIME type; it needs no script. */
function frozen(model, store) {
  const looks = model.get("looks"), picture = new Picture(store, looks, {});
  const svg = picture.sheet.querySelector("svg"), style = document.createElementNS(SVG, "style");
  style.textContent = model.get("sheet");
  svg.prepend(style);
  svg.setAttribute("role", "img");
  const told = `Workflow ${model.get("name")}: the kernel was lost ${durationTold(store.elapsed())} after the run began.`;
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
