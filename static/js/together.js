// Several models side by side: a tile for each photo, from the wait to be sent to the finished model, and how they fare in all.
import { address, call } from "./api.js";
import { isFinal, isReady } from "./live.js";
import { bestModel } from "./panels.js";
import { say, tellProblem } from "./say.js";
import { bytes, statusOf } from "./words.js";

const ASK_EVERY = 2000;
const KEY = "unflat-untaken ";

export const galleryOf = (jobs) => `${address("gallery")}?ids=${jobs.map((job) => job.id).join(",")}`;

// Photos that were not taken, for the page that shows the others: [{ name, told }].
export function keepUntaken(jobs, untaken) {
  try {
    sessionStorage.setItem(KEY + jobs.map((job) => job.id).join(), JSON.stringify(untaken));
  } catch { /* a browser that keeps nothing: they are not shown again */ }
}

export function untakenOf(ids) {
  try {
    return JSON.parse(sessionStorage.getItem(KEY + ids.join())) ?? [];
  } catch {
    return [];
  }
}

export class Tile {
  constructor(title) {
    this.element = document.getElementById("tile").content.firstElementChild.cloneNode(true);
    this.part = (name) => this.element.querySelector(`.${name}`);
    this.part("tiletitle").textContent = title;
    this.job = null;
    this.part("again").addEventListener("click", () => this.tryAgain());
  }

  // The photo as it lies on the visitor's disk, until the server's small copy is there.
  showFile(file) {
    const picture = this.part("tileimage");
    this.url = URL.createObjectURL(file);
    picture.onerror = () => { picture.hidden = true; };  // a HEIC photo, which most browsers cannot show
    picture.src = this.url;
    picture.hidden = false;
  }

  forgetFile() {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = "";
  }

  // state: one of a job's, or "sending", or "untaken" with the reason.
  tell(state, text, share = 0) {
    this.element.dataset.state = state;
    if (this.part("tilestatus").textContent !== text) this.part("tilestatus").textContent = text;
    this.part("tilebar").value = share;
  }

  show(job) {
    this.job = job;
    const state = isReady(job) && !isFinal(job) ? "done" : job.state;
    this.tell(state, statusOf(job), state === "done" ? 1 : job.progress ?? 0);
    this.part("tiletitle").textContent = job.title;
    this.part("tilelink").href = job.links.page;
    const small = ["preview_thumb", "photo_thumb"].map((kind) => job.artefacts.find((one) => one.kind === kind)).find(Boolean);
    const picture = this.part("tileimage");
    if (small && picture.getAttribute("src") !== small.url) {
      picture.onload = () => this.forgetFile();
      picture.src = small.url;
      picture.hidden = false;
    }
    const model = bestModel(job);
    const link = this.part("tileload");
    link.hidden = !model;
    if (model) {
      Object.assign(link, { href: model.url, download: model.download, ariaLabel: `Download ${model.download}` });
      this.part("tilesize").textContent = `GLB · ${bytes(model.bytes)}`;
    }
    this.part("again").hidden = !["failed", "cancelled"].includes(job.state) || job.error?.code === "gone";
  }

  async tryAgain() {
    this.part("again").disabled = true;
    try {
      this.show(await call("POST", this.job.links.retry));
      this.element.dispatchEvent(new CustomEvent("again", { bubbles: true }));
    } catch (problem) {
      tellProblem(problem);
    } finally {
      this.part("again").disabled = false;
    }
  }
}

const words = { sending: "to be sent", working: "in work", ready: "ready", failed: "failed", stopped: "stopped", untaken: "not taken" };
const group = { waiting: "sending", sending: "sending", queued: "working", running: "working", done: "ready", failed: "failed", cancelled: "stopped", untaken: "untaken" };

// box: has .tiles, and what is said of all: .sum, .sumbar.
export class Together {
  constructor(box) {
    this.box = box;
    this.tiles = [];
    this.etag = "";
    this.silent = false;
    box.addEventListener("again", () => this.follow());
  }

  add(title) {
    const tile = new Tile(title);
    this.tiles.push(tile);
    this.box.querySelector(".tiles").append(tile.element);
    return tile;
  }

  get jobs() {
    return this.tiles.flatMap((tile) => tile.job ?? []);
  }

  get unfinished() {
    return this.jobs.filter((job) => !isFinal(job)).length;
  }

  // "3 ready, 2 in work, 1 not taken", and a bar.
  sum() {
    const counts = {};
    let share = 0;
    for (const { element } of this.tiles) {
      const kind = group[element.dataset.state];
      counts[kind] = (counts[kind] ?? 0) + 1;
      share += ["ready", "failed", "stopped", "untaken"].includes(kind) ? 1 : kind === "working" ? element.querySelector("progress").value : 0;
    }
    const text = Object.entries(words).filter(([kind]) => counts[kind]).map(([kind, said]) => `${counts[kind]} ${said}`).join(", ");
    const place = this.box.querySelector(".sum");
    const told = this.silent ? "The server does not answer; it is asked again every two seconds." : text;
    if (place.textContent !== told) place.textContent = told;
    this.box.querySelector(".sumbar").value = this.tiles.length ? share / this.tiles.length : 0;
    this.onSum?.();
  }

  // Ask how they fare until all have ended.
  follow() {
    clearTimeout(this.timer);
    this.sum();
    if (this.unfinished) this.timer = setTimeout(() => this.ask(), ASK_EVERY);
  }

  stop() {
    clearTimeout(this.timer);
    this.stopped = true;
  }

  async ask() {
    try {
      const url = `${address("api/v1/jobs")}?ids=${this.jobs.map((job) => job.id).join(",")}`;
      const answer = await fetch(url, { headers: this.etag ? { "If-None-Match": this.etag } : {} });
      this.silent = !answer.ok && answer.status !== 304;
      if (answer.ok) {
        this.etag = answer.headers.get("ETag");
        this.take((await answer.json()).jobs);
      }
    } catch {
      this.silent = true;
    }
    if (!this.stopped) this.follow();
  }

  take(jobs) {
    const found = new Map(jobs.map((job) => [job.id, job]));
    for (const tile of this.tiles) {
      if (!tile.job) continue;
      const job = found.get(tile.job.id);
      if (job) tile.show(job);
      else if (!isFinal(tile.job)) tile.show({ ...tile.job, state: "failed", artefacts: [], error: { code: "gone", message: "This model was deleted or has expired." } });
    }
  }

  tellUntaken(name, told) {
    const tile = this.add(name);
    tile.tell("untaken", told);
  }
}

export function sayLeftOut(count) {
  if (count) say(`${count} other ${count === 1 ? "file is no photo" : "files are no photos"}.`, 8);
}
