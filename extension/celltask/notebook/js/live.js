/** Whether the page around is dark: what the front end says, and only then what the system says. */
function isDark() {
  const body = document.body, theme = body.dataset.jpThemeLight;
  if (theme !== undefined) return theme === "false"; // JupyterLab, Notebook 7
  const told = [...body.classList].filter((name) => /^vscode-(light|dark|high-contrast(-light)?)$/.test(name)); // VS Code
  if (told.length) return !told.some((name) => name.endsWith("light")); // on light with high contrast, both may stand
  const page = document.documentElement.getAttribute("theme"); // Colab
  if (page === "dark" || page === "light") return page === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Keep `element` dark or light with the page; gives what ends it. */
function followTheme(element) {
  const follow = () => element.classList.toggle("celltask-dark", isDark());
  const observer = new MutationObserver(follow), system = matchMedia("(prefers-color-scheme: dark)");
  observer.observe(document.body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light"] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["theme"] });
  system.addEventListener("change", follow);
  follow();
  return () => {
    observer.disconnect();
    system.removeEventListener("change", follow);
  };
}

class View {
  constructor(model, element) {
    this.model = model;
    this.store = storeOf(model);
    this.element = element;
    const actions = { pick: (...ids) => this.pick(ids), close: () => this.close(), open: (id) => this.open(id) };
    this.panel = new Panel(this.store, actions);
    this.picture = new Picture(this.store, model.get("looks"), actions);
    this.state = make("span", { class: "ct-state", role: "status" });
    this.time = make("span", { class: "ct-time" });
    this.sum = make("span", { class: "ct-sum" });
    this.bar = make("div", { class: "ct-bar", "aria-hidden": "true" });
    this.path = make("nav", { class: "ct-path", "aria-label": "where in the graph", hidden: true });
    this.element.classList.add("celltask-run");
    this.element.append(this.head(), this.bar, this.path, make("div", { class: "ct-body" }, this.picture.element, this.panel.element));
    this.changed = new Set();
    this.begin();
  }

  head() {
    const button = (told, title, act) => make("button", { type: "button", title, "aria-label": title, onclick: act }, told);
    const buttons = [
      button("−", "zoom out", () => this.picture.zoom(0.8)),
      button("fit", "fit the picture", () => this.picture.fit()),
      button("+", "zoom in", () => this.picture.zoom(1.25)),
    ];
    if (this.model.get("can_cancel")) {
      this.cancel = button("Cancel", "cancel the run", () => {
        this.cancel.disabled = true;
        this.cancel.textContent = "Cancelling …";
        this.model.send({ do: "cancel" });
      });
      buttons.push(this.cancel);
    } else if (this.store.state === "running") {
      buttons.push(make("span", { class: "ct-small" }, "■ interrupt cancels"));
    }
    const told = make("div", { class: "ct-told" }, this.state, make("b", {}, this.model.get("name")), this.time, this.sum);
    return make("div", { class: "ct-head" }, told, make("div", { class: "ct-tools" }, ...buttons));
  }

  begin() {
    const listener = (changed) => {
      for (const id of changed) this.changed.add(id);
      this.frame ??= requestAnimationFrame(() => this.paint());
    };
    this.store.listeners.add(listener);
    const unfollow = followTheme(this.element), timer = setInterval(() => this.tick(), 500);
    const observer = new ResizeObserver(() => {
      const width = this.picture.element.clientWidth;
      if (width && width !== this.width) this.picture.fit(MOST_SHRUNK);
      this.width = width;
    });
    observer.observe(this.picture.element);
    this.end = () => {
      this.store.listeners.delete(listener);
      clearInterval(timer);
      cancelAnimationFrame(this.frame);
      observer.disconnect();
      unfollow();
      this.element.replaceChildren();
    };
    this.paint();
  }

  paint() {
    this.frame = undefined;
    const changed = this.changed;
    this.changed = new Set();
    this.picture.paint(changed);
    if (this.panel.concerns(changed)) this.panel.paint();
    this.summary();
  }

  tick() {
    if (this.store.state !== "running" || this.store.isLost) return;
    this.picture.tick();
    this.summary();
  }

  summary() {
    const store = this.store, ids = store.children.get("") || [], counts = store.counts(ids);
    const state = store.isLost ? "cancelled" : store.state;
    const told = store.isLost ? "the kernel was lost" : state;
    if (this.state.textContent !== told) {
      this.state.textContent = told;
      this.state.className = `ct-state ct-${state}`;
    }
    this.time.textContent = durationTold(Math.max(0.1, store.elapsed()));
    const ended = ids.length - (counts.queued || 0) - (counts.running || 0) - (counts.retried || 0);
    const order = ["running", "retried", "reused", "failed", "skipped", "cancelled"];
    const rest = order.filter((name) => counts[name]).map((name) => `${counts[name]} ${name}`);
    this.sum.textContent = [`${ended} of ${ids.length} ended`, ...rest].join(", ");
    this.bar.style.setProperty("--ct-share", `${(100 * ended) / Math.max(1, ids.length)}%`);
    this.bar.classList.toggle("ct-bad", Boolean(counts.failed));
  }

  pick(ids) {
    const isSame = this.panel.ids && ids.length === this.panel.ids.length && ids[0] === this.panel.ids[0];
    this.panel.show(isSame ? null : ids);
    this.picture.select(isSame ? null : ids);
  }

  close() {
    const ids = this.panel.ids;
    this.panel.show(null);
    this.picture.select(null);
    if (ids) this.picture.boxOf.get(ids[0])?.group.focus();
  }

  /** Show the inside of a node, and the way back above it. */
  open(id) {
    this.panel.show(null);
    this.picture.open(id);
    const steps = id ? id.split("/") : [], crumbs = [];
    for (let many = 0; many <= steps.length; many += 1) {
      const around = steps.slice(0, many).join("/");
      const label = around ? this.store.nodes.get(around)?.label || around : this.model.get("name");
      if (crumbs.length) crumbs.push(" ▸ ");
      crumbs.push(many < steps.length && this.store.pictures.has(around)
        ? make("button", { type: "button", onclick: () => this.open(around) }, label) : make("span", {}, label));
    }
    this.path.hidden = !id;
    this.path.replaceChildren(...crumbs);
    this.picture.element.focus();
  }
}

export default {
  initialize({ model }) {
    const store = storeOf(model);
    return () => store.end(model);
  },
  render({ model, el }) {
    const view = new View(model, el), store = view.store;
    if (store.state !== "running") setTimeout(() => freeze(model, store)); // a page that got it after the run
    return () => view.end();
  },
};
