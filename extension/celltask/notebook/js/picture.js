const SVG = "http://www.w3.org/2000/svg";
const MOST_HIGH = 520, LEAST_ZOOM = 0.1, MOST_ZOOM = 6;
const MOST_SHRUNK = 0.7; // at first, so that names can be read; of what is higher still, only the top is in view

/** The picture: its boxes coloured by state, moved and zoomed with pointer and keys. */
class Picture {
  constructor(store, looks, actions) {
    this.store = store;
    this.looks = looks;
    this.actions = actions;
    this.around = ""; // the node whose inside is shown
    this.sheet = make("div", { class: "ct-sheet" });
    this.element = make("div", { class: "ct-view", tabindex: "0", role: "group", "aria-label": "graph; plus and minus zoom, 0 fits, arrows move" }, this.sheet);
    this.listen();
    this.open("");
  }

  /** Draw the inside of a node, or with "" the whole. */
  open(around) {
    const text = this.store.pictures.get(around);
    const svg = document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
    svg.setAttribute("role", "group");
    this.around = around;
    this.size = [Number(svg.getAttribute("width")), Number(svg.getAttribute("height"))];
    this.boxes = [...svg.querySelectorAll("g.node")].map((group) => this.box(group, around ? `${around}/` : ""));
    this.boxOf = new Map(this.boxes.flatMap((box) => box.ids.map((id) => [id, box])));
    this.boxes[0]?.group.setAttribute("tabindex", "0");
    this.sheet.replaceChildren(svg);
    this.paint(null);
    this.fit(MOST_SHRUNK);
  }

  box(group, prefix) {
    const shape = group.querySelector(".box"), points = shape.getAttribute("points");
    const corners = points ? points.split(" ").map((pair) => pair.split(",").map(Number)) : null;
    const number = (name) => Number(shape.getAttribute(name));
    const xs = corners ? corners.map((corner) => corner[0]) : [number("x"), number("x") + number("width")];
    const ys = corners ? corners.map((corner) => corner[1]) : [number("y"), number("y") + number("height")];
    const told = group.dataset.id !== undefined ? [group.dataset.id] : group.dataset.members.split(" ");
    const inset = group.classList.contains("conditional") ? 0.22 : 0;
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", "-1");
    return {
      group, ids: told.map((id) => prefix + id), base: group.getAttribute("class"), state: "", badge: "",
      name: group.querySelector("title")?.textContent || told[0],
      left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys), inset,
    };
  }

  /** Colour the boxes of these nodes as they stand now; all boxes for null. */
  paint(changed) {
    let boxes = this.boxes;
    if (changed) {
      boxes = new Set();
      for (const id of changed) {
        // Of a node inside of a branch that was skipped only the branch itself is told.
        const box = this.boxOf.get(id) || this.boxOf.get(this.store.around(id, (outer) => this.boxOf.has(outer)));
        if (box) boxes.add(box);
        if (this.store.children.has(id)) for (const box of this.boxes) if (box.ids[0].startsWith(`${id}/`)) boxes.add(box);
      }
    }
    for (const box of boxes) this.paintBox(box);
  }

  /** Times of what runs go on without news. */
  tick() {
    for (const box of this.boxes) if (box.state === "running" || box.state === "retried") this.paintBox(box);
  }

  paintBox(box) {
    const counts = this.store.counts(box.ids);
    const state = box.ids.length === 1 ? this.store.stateOf(box.ids[0]) : summedState(counts);
    const badge = this.badgeOf(box, state, counts);
    if (state !== box.state) {
      box.state = state;
      box.group.setAttribute("class", `${box.base} ${state}`);
      box.mark?.remove();
      box.mark = this.markOf(state, box);
      box.group.append(box.mark);
    }
    if (badge !== box.badge) {
      box.badge = badge;
      box.pill?.remove();
      box.pill = badge ? this.pillOf(badge, box) : undefined;
      if (box.pill) box.group.append(box.pill);
    }
    const label = `${box.name}, ${state}${badge ? `, ${badge}` : ""}`;
    if (label !== box.label) box.group.setAttribute("aria-label", (box.label = label));
  }

  badgeOf(box, state, counts) {
    if (box.ids.length > 1) {
      const ended = (counts.done || 0) + (counts.reused || 0) + (counts.failed || 0);
      return state === "queued" ? "" : `${ended}/${box.ids.length}${counts.failed ? ` ✗${counts.failed}` : ""}`;
    }
    const known = this.store.known.get(box.ids[0]) || {};
    const [done, failed, total] = known.progress || (state === "running" ? this.store.progressIn(box.ids[0]) : [0, 0, 0]);
    if (known.progress || total) return `${done}/${total}${failed ? ` ✗${failed}` : ""}`;
    const taken = this.store.taken(box.ids[0]);
    if (taken === undefined) return "";
    return state === "running" ? (taken < 1 ? "" : `${Math.floor(taken)} s`) : durationTold(taken);
  }

  markOf(state, box) {
    const [, path, isFull] = this.looks[state];
    const mark = document.createElementNS(SVG, "g");
    const [x, y] = [box.left + 2 + box.inset * (box.right - box.left), box.top + 2 + box.inset * (box.bottom - box.top)];
    mark.setAttribute("transform", `translate(${x} ${y})`);
    const disc = document.createElementNS(SVG, "circle"), sign = document.createElementNS(SVG, "path");
    disc.setAttribute("class", "disc");
    disc.setAttribute("r", "7.5");
    sign.setAttribute("class", isFull ? "sign full" : "sign");
    sign.setAttribute("d", path);
    mark.append(disc, sign);
    return mark;
  }

  pillOf(told, box) {
    const pill = document.createElementNS(SVG, "g"), width = 5.4 * told.length + 9;
    const right = box.inset ? box.right - 0.28 * (box.right - box.left) : box.right - 4;
    pill.setAttribute("class", "badge");
    const shape = document.createElementNS(SVG, "rect"), text = document.createElementNS(SVG, "text");
    const set = { x: right - width, y: box.bottom - 7, width, height: 13, rx: 6 };
    for (const [name, value] of Object.entries(set)) shape.setAttribute(name, value);
    text.setAttribute("x", right - width / 2);
    text.setAttribute("y", box.bottom + 3);
    text.textContent = told;
    pill.append(shape, text);
    return pill;
  }

  select(ids) {
    for (const box of this.boxes) {
      const isOn = ids !== null && box.ids.some((id) => ids.includes(id));
      box.group.classList.toggle("ct-picked", isOn);
      if (isOn || box.base.includes("ct-picked")) box.base = box.base.replace(" ct-picked", "") + (isOn ? " ct-picked" : "");
      box.group.setAttribute("aria-pressed", String(isOn));
    }
  }

  /** Have all of it in view, shrunk at most so much. */
  fit(least = LEAST_ZOOM) {
    const [width, height] = this.size, room = this.element.clientWidth || 800;
    const whole = MOST_HIGH / height, wide = Math.min(1, room / width);
    const zoom = Math.min(wide, Math.max(whole, wide * least));
    this.element.style.height = `${Math.min(height * zoom, MOST_HIGH) + 2}px`;
    this.place(0, 0, zoom);
  }

  place(x, y, zoom) {
    [this.x, this.y, this.zoomed] = [x, y, zoom];
    this.sheet.style.transform = `translate(${x}px, ${y}px) scale(${zoom})`;
  }

  zoom(factor, x = this.element.clientWidth / 2, y = this.element.clientHeight / 2) {
    const zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, this.zoomed * factor)), by = zoom / this.zoomed;
    this.place(x - (x - this.x) * by, y - (y - this.y) * by, zoom);
  }

  listen() {
    const view = this.element;
    let from = null;
    view.addEventListener("pointerdown", (event) => {
      if (event.button === 0) from = { x: event.clientX, y: event.clientY, left: this.x, top: this.y, moved: false };
    });
    view.addEventListener("pointermove", (event) => {
      if (!from || !(event.buttons & 1)) return;
      const [x, y] = [event.clientX - from.x, event.clientY - from.y];
      if (!from.moved && Math.hypot(x, y) < 4) return;
      if (!from.moved) view.setPointerCapture(event.pointerId);
      from.moved = true;
      this.place(from.left + x, from.top + y, this.zoomed);
    });
    view.addEventListener("click", (event) => {
      const wasMoved = from?.moved;
      from = null;
      const box = this.boxAt(event.target);
      if (!wasMoved && box) this.actions.pick(...box.ids);
    });
    view.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
      event.preventDefault();
      const frame = view.getBoundingClientRect();
      this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, event.clientX - frame.left, event.clientY - frame.top);
    }, { passive: false });
    // Notebook 7 hears of a key before what has the focus does; the window hears of it before all.
    const key = (event) => {
      if (!view.isConnected) window.removeEventListener("keydown", key, true); // it left the page with the focus
      else if (event.composedPath().includes(view)) this.key(event);
    };
    view.addEventListener("focusin", () => window.addEventListener("keydown", key, true));
    view.addEventListener("focusout", () => window.removeEventListener("keydown", key, true));
  }

  boxAt(target) {
    const group = target.closest?.("g.node");
    return group ? this.boxes.find((box) => box.group === group) : undefined;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const box = this.boxAt(event.composedPath()[0]), way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "+" || event.key === "=") this.zoom(1.25);
    else if (event.key === "-") this.zoom(0.8);
    else if (event.key === "0") this.fit();
    else if (box && (event.key === "Enter" || event.key === " ")) this.actions.pick(...box.ids);
    else if (event.key === "Escape") this.actions.close();
    else if (way && box) this.step(box, way);
    else if (way) this.place(this.x - 40 * way[0], this.y - 40 * way[1], this.zoomed);
    else return;
    event.preventDefault();
    event.stopPropagation(); // the notebook has commands on the same keys
  }

  /** Go on to the nearest box in a direction. */
  step(box, [dx, dy]) {
    const middle = (one) => [(one.left + one.right) / 2, (one.top + one.bottom) / 2];
    const [x, y] = middle(box);
    let best = null, least = Infinity;
    for (const other of this.boxes) {
      const [ox, oy] = middle(other), along = (ox - x) * dx + (oy - y) * dy, aside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
      if (other !== box && along > 1 && along + 2 * aside < least) [best, least] = [other, along + 2 * aside];
    }
    if (!best) return;
    box.group.setAttribute("tabindex", "-1");
    best.group.setAttribute("tabindex", "0");
    best.group.focus();
  }
}
