// What has been told of a run, kept also while nothing is drawn: a click must not need the kernel.
// The files of this folder are joined to one module in the order store, panel, picture, freeze, live.

const MOST_LOGGED = 20000;
const stores = new Map();

/** The store of a model; made when the model is, so that no message is missed. */
function storeOf(model) {
  const key = model.get("key");
  if (!stores.has(key)) stores.set(key, new Store(model));
  return stores.get(key);
}

class Store {
  constructor(model) {
    this.known = new Map(); // by node id: as the board in the kernel has it
    this.nodes = new Map(); // by node id: label, entity, sources
    this.children = new Map(); // ids of the nodes inside of a node; of all, under ""
    this.pictures = new Map(Object.entries(model.get("pictures") || {}));
    this.pictures.set("", model.get("svg"));
    this.sheet = model.get("sheet");
    [this.state, this.tookInAll] = model.get("ended")?.length ? model.get("ended") : ["running"];
    this.began = performance.now();
    this.isLost = false;
    this.listeners = new Set();
    this.add("", model.get("told"));
    this.addLetters(model);
    model.on("msg:custom", (news) => this.take(news));
    model.on("comm_live_update", () => this.lose(model));
  }

  add(prefix, told) {
    for (const [id, label, place, sources] of told.nodes) {
      const full = prefix + id;
      const around = full.includes("/") ? full.slice(0, full.lastIndexOf("/")) : "";
      if (!this.children.has(around)) this.children.set(around, []);
      if (!this.nodes.has(full)) this.children.get(around).push(full);
      this.nodes.set(full, { id: full, label, sources, entity: told.entities[place] });
    }
  }

  /** States as a page knows them that was opened in the middle of the run. */
  addLetters(model) {
    const names = Object.fromEntries(Object.entries(model.get("looks")).map(([name, look]) => [look[0], name]));
    const ids = model.get("told").nodes;
    [...(model.get("states") || "")].forEach((letter, place) => {
      if (letter !== "q" && ids[place]) this.known.set(ids[place][0], { state: names[letter] });
    });
  }

  take(news) {
    const changed = new Set();
    this.began = performance.now() - news.elapsed * 1000;
    this.state = news.state;
    if (news.state !== "running") this.tookInAll = news.elapsed;
    for (const [node, made] of Object.entries(news.made || {})) {
      this.add(`${node}/`, made.told);
      if (made.svg) this.pictures.set(node, made.svg);
      changed.add(node);
    }
    for (const [id, more] of Object.entries(news.nodes)) {
      const before = this.known.get(id) || {};
      const after = { ...before, ...more };
      if (more.log) after.log = ((before.log || "") + more.log).slice(-MOST_LOGGED);
      this.known.set(id, after);
      changed.add(id);
    }
    this.tell(changed);
  }

  lose(model) {
    if (this.isLost || this.state !== "running") return;
    this.isLost = true;
    this.lostAfter = this.elapsed();
    this.tell(new Set());
    freeze(model, this);
  }

  /** The widget was closed; of a run that has ended its last picture stays, where it is not there already. */
  end(model) {
    stores.delete(model.get("key"));
    if (this.state !== "running") freeze(model, this);
  }

  tell(changed) {
    for (const listener of this.listeners) listener(changed);
  }

  elapsed() {
    return this.lostAfter ?? this.tookInAll ?? (performance.now() - this.began) / 1000;
  }

  /** The state of a node; what is within a branch that was not taken was skipped with it. */
  stateOf(id) {
    const own = this.known.get(id)?.state;
    if (own) return own;
    const stateOf = (outer) => this.known.get(outer)?.state;
    return stateOf(this.around(id, (outer) => ["skipped", "cancelled"].includes(stateOf(outer)))) || "queued";
  }

  /** The nearest node around a node for which this holds; "" if there is none. */
  around(id, holds) {
    for (let at = id.lastIndexOf("/"); at > 0; at = id.lastIndexOf("/", at - 1)) {
      if (holds(id.slice(0, at))) return id.slice(0, at);
    }
    return "";
  }

  /** Items done, failed and in all of the maps that run inside of a node. */
  progressIn(id) {
    const sum = [0, 0, 0];
    for (const inner of this.children.get(id) || []) {
      const { state, progress } = this.known.get(inner) || {};
      const counts = state === "running" && progress ? progress : this.progressIn(inner);
      counts.forEach((count, place) => (sum[place] += count));
    }
    return sum;
  }

  counts(ids) {
    const counts = {};
    for (const id of ids) {
      const state = this.stateOf(id);
      counts[state] = (counts[state] || 0) + 1;
    }
    return counts;
  }

  /** Seconds that a node has taken until now. */
  taken(id) {
    const known = this.known.get(id) || {};
    if (known.took !== undefined) return known.took;
    const runs = known.state === "running" || known.state === "retried";
    return runs && known.at !== undefined ? Math.max(0, this.elapsed() - known.at) : undefined;
  }
}

const LEADING = ["failed", "cancelled", "retried", "running", "queued", "skipped", "done", "reused"];

/** The state of a box that stands for several nodes: the one a reader must know of first. */
function summedState(counts) {
  const begun = counts.done || counts.reused;
  if (counts.queued && begun && !counts.failed && !counts.cancelled) return "running";
  return LEADING.find((state) => counts[state]) || "queued";
}

/** A duration as people read it. */
function durationTold(seconds) {
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 0.01) return `${(seconds * 1000).toFixed(1)} ms`;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)} min`;
}

/** An element; texts go in as texts, so that nothing in them is ever markup. */
function make(tag, attributes, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...inside.filter((one) => one !== undefined && one !== ""));
  return made;
}
