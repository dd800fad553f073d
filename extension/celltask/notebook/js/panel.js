const MOST_LISTED = 300;

/** What is known of one node, or the list of the nodes that a box stands for. */
class Panel {
  constructor(store, actions) {
    this.store = store;
    this.actions = actions;
    this.ids = null;
    this.element = make("aside", { class: "ct-panel", "aria-label": "details of the node", tabindex: "-1", hidden: true });
  }

  /** Show the node, or the nodes, with these ids; none to close it. */
  show(ids) {
    this.ids = ids && ids.length ? ids : null;
    this.element.hidden = !this.ids;
    this.element.scrollTop = 0;
    this.paint();
  }

  /** Whether a change of one of these nodes is to be seen here. */
  concerns(changed) {
    return this.ids !== null && this.ids.some((id) => changed.has(id));
  }

  paint() {
    const log = this.element.querySelector(".ct-log");
    const isAtEnd = !log || log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    const before = log ? log.scrollTop : 0;
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
    this.element.replaceChildren();
    if (!this.ids) return;
    this.element.append(...(this.ids.length === 1 ? this.node(this.ids[0]) : this.list(this.ids)));
    const now = this.element.querySelector(".ct-log");
    if (now) now.scrollTop = isAtEnd ? now.scrollHeight : before;
    if (focused) this.element.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  head(title, ...more) {
    const close = make("button", { type: "button", "aria-label": "close", "data-focus": "close", onclick: () => this.actions.close() }, "×");
    return make("header", {}, make("h4", {}, title), ...more, close);
  }

  state(id) {
    const state = this.store.stateOf(id);
    return make("span", { class: `ct-state ct-${state}` }, state);
  }

  list(ids) {
    const order = ["failed", "retried", "running", "cancelled", "queued", "skipped", "done", "reused"];
    const ranked = [...ids].sort((a, b) => order.indexOf(this.store.stateOf(a)) - order.indexOf(this.store.stateOf(b)));
    const rows = ranked.slice(0, MOST_LISTED).map((id) =>
      make("li", {}, make("button", { type: "button", "data-focus": id, onclick: () => this.actions.pick(id) },
        this.store.nodes.get(id)?.label || id), " ", this.state(id)));
    const rest = ids.length > MOST_LISTED ? [make("p", {}, `and ${ids.length - MOST_LISTED} more`)] : [];
    return [this.head(`${ids.length} nodes`), make("ul", {}, ...rows), ...rest];
  }

  node(id) {
    const store = this.store, node = store.nodes.get(id) || { label: id, sources: [] };
    const known = store.known.get(id) || {}, entity = node.entity || { name: "", kind: "", in: [], out: [] };
    const kind = [entity.name !== node.label ? entity.name : "", entity.kind === "python" ? "" : entity.kind];
    const parts = [this.head(node.label, this.state(id))];
    const about = [...kind.filter(Boolean), entity.doc].filter(Boolean).join(" · ");
    if (about) parts.push(make("p", {}, about));
    if (entity.place) parts.push(make("p", { class: "ct-small" }, `defined in ${entity.place}`));
    if (store.pictures.has(id)) {
      parts.push(make("button", { type: "button", class: "ct-open", "data-focus": "open", onclick: () => this.actions.open(id) }, "show its graph"));
    }
    parts.push(this.facts(id, known));
    if (known.error) parts.push(make("h5", {}, "error"), make("pre", { role: "alert", class: "ct-error" }, known.error));
    parts.push(...this.ports("inputs", entity.in, known.in, node.sources));
    parts.push(...this.ports("outputs", entity.out, known.out, []));
    if (known.log) parts.push(make("h5", {}, "log"), make("pre", { class: "ct-log", tabindex: "0", "aria-label": "log" }, known.log));
    return parts;
  }

  facts(id, known) {
    const taken = this.store.taken(id), rows = [];
    if (taken !== undefined) rows.push(["time", durationTold(taken)]);
    if (known.attempts > 1) rows.push(["attempts", String(known.attempts)]);
    if (known.progress) {
      const [done, failed, total] = known.progress;
      rows.push(["items", `${done} of ${total} ended${failed ? `, ${failed} failed` : ""}`]);
    }
    if (known.why) rows.push([known.attempts > 1 ? "retried" : known.state, known.why]);
    const cells = rows.map(([name, told]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, told)));
    return make("table", { class: "ct-facts" }, make("tbody", {}, ...cells));
  }

  ports(title, ports, values, sources) {
    if (!ports.length) return [];
    const rows = ports.map(([name, type], place) => {
      const from = sources[place] ? make("div", { class: "ct-small" }, `← ${sources[place]}`) : undefined;
      return make("div", { class: "ct-port" }, make("code", {}, name), " ", make("span", { class: "ct-small" }, type), from, this.value(values?.[name]));
    });
    return [make("h5", {}, title), ...rows];
  }

  value(value) {
    if (!value) return undefined;
    if (value.image.startsWith("data:image/png;base64,")) return make("img", { src: value.image, alt: value.text });
    const told = make("div", { class: "ct-value" }, value.text);
    if (value.table.length < 2) return told;
    const [heads, ...rows] = value.table;
    const head = make("tr", {}, ...heads.map((name) => make("th", { scope: "col" }, name)));
    const body = rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, cell))));
    return make("div", {}, told, make("div", { class: "ct-rows" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...body))));
  }
}
