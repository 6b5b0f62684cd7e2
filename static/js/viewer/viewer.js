// The viewer: the stage, what stands on it, and the tools under it.
import { listenForFullScreen, savePicture } from "./capture.js";
import { SURFACES } from "../words.js";
import { Compare, MESHES } from "./compare.js";
import { ballAround } from "./framing.js";
import { asRadioGroup, listenForKeys } from "./keys.js";
import { Layers } from "./layers.js";
import { Ruler } from "./ruler.js";
import { Stage } from "./stage.js";
import { Turntable } from "./turntable.js";

const byId = (id) => document.getElementById(id);
const action = (name) => byId(`act-${name}`);

export class Viewer {
  constructor(pictures) {
    this.pictures = pictures;
    this.job = null;
    this.mode = "points";
    this.surface = "grid";
    this.later = new Map();  // layer → the address that it is fetched from when somebody wants to see it
    this.other = null;  // another model of the same photo: its job, and what it is called
    this.chosen = { mode: false, surface: false };  // what the person chose is not changed by what arrives later
    this.stage = new Stage(byId("canvas"));
    this.layers = new Layers(this.stage.scene);
    this.turntable = new Turntable(this.stage, (on) => action("turn").setAttribute("aria-pressed", String(on)));
    this.stage.onTouch = () => this.turntable.toggle(false);
    this.compare = new Compare(this.stage, this.layers, {
      mode: () => (this.mode === "points" ? "textured" : this.mode), nameOf: (name) => this.nameOf(name),
    });
    this.ruler = new Ruler(this.stage, {
      target: () => this.layers.get(this.visible())?.object, facts: () => this.job?.facts, tell: (text) => this.hint(text),
    });
    this.markMode = asRadioGroup(byId("modes"), (mode) => { this.chosen.mode = true; this.setMode(mode); });
    this.listen();
  }

  listen() {
    const toggleFull = listenForFullScreen(byId("viewer"), (on) => action("full").setAttribute("aria-pressed", String(on)));
    const acts = {
      reset: () => { this.turntable.toggle(false); this.stage.lookAside(this.layers.get(this.visible()).sample); },
      camera: () => { this.turntable.toggle(false); this.stage.viewFromCamera(); },
      turn: () => this.turntable.toggle(),
      ruler: () => this.toggle("ruler", this.ruler),
      compare: () => { this.toggle("compare", this.compare); this.show(); },
      shot: () => savePicture(this.stage, this.job?.title),
      full: toggleFull,
    };
    for (const [name, act] of Object.entries(acts)) action(name).addEventListener("click", () => { if (name !== "full") this.pictures.close(); act(); });
    listenForKeys(this.stage, (name) => { if (!action(name).disabled) action(name).click(); });
    byId("surface").addEventListener("change", (event) => this.pick(event.target.value));
    byId("size").addEventListener("input", () => this.show());
    this.stage.before.push(() => this.sizePoints());
  }

  toggle(name, tool) {
    tool.toggle();
    action(name).setAttribute("aria-pressed", String(tool.on));
  }

  hint(text) {
    byId("hint").textContent = text;
    byId("hint").hidden = !text;
  }

  // What is known about the job: the photo's frame, how the lengths are to be read.
  describe(job) {
    this.job = job;
    this.frame();
  }

  frame() {
    const { facts, photo } = this.job;
    const distance = ["points", ...MESHES].map((name) => this.layers.get(name)).find(Boolean)?.distance ?? 1;
    this.stage.setFrame({ fovX: facts?.fov_x_deg, width: photo?.width, height: photo?.height, distance });
  }

  // onShare: told how much of it has come, 0 to 1.
  async add(name, url, onShare) {
    const layer = await this.layers.load(name, url, onShare);
    this.frame();
    if (name !== "points" && !this.chosen.mode) this.mode = "textured";
    if (name === "refined") this.chosen.surface = false;  // it was waited for
    if (!this.chosen.surface) this.surface = this.meshes().at(-1) ?? name;
    this.enable();
    this.show();
    if (name !== "points") this.stage.introduce(layer.sample);
  }

  // A model that is fetched when it is chosen.
  offer(name, url) {
    if (this.later.get(name) === url) return;
    this.later.set(name, url);
    if (this.layers.get(name)) this.layers.load(name, url, () => {}).then(() => this.show());
    this.enable();
  }

  async pick(name) {
    this.chosen.surface = true;
    if (!(await this.fetch(name))) {
      byId("surface").value = this.surface;
      return;
    }
    this.surface = name;
    if (this.mode === "points") this.mode = "textured";
    this.enable();
    this.show();
  }

  async fetch(name) {
    if (this.layers.get(name)) return true;
    try {
      this.hint(`Fetching “${this.nameOf(name)}”`);
      await this.layers.load(name, this.later.get(name), (share) => this.hint(`Fetching “${this.nameOf(name)}”, ${Math.round(share * 100)} %`));
      this.hint("");
      return true;
    } catch (error) {
      console.warn(error);
      this.hint("It could not be loaded: choose it again to try again.");
      return false;
    }
  }

  // Another model of the same photo on the left, this one's best on the right. Its unit may be another one: the nearest
  // place of both is taken as the same.
  async beside(job, { url }, words) {
    const mine = this.visible();
    await this.layers.load("other", url, () => {});
    const [here, there] = [this.job?.facts?.near, job.facts?.near];
    if (here && there && Math.abs(here / there - 1) > 1e-3) this.layers.scale("other", here / there);
    this.other = { job, words };
    this.pictures.close();
    if (!this.compare.on) this.toggle("compare", this.compare);
    this.compare.offer();
    this.compare.pick("other", mine === "points" ? (this.meshes().at(-1) ?? mine) : mine);
    this.enable();
    this.show();
    byId("viewer").scrollIntoView({ block: "nearest" });
  }

  nameOf(name) {
    if (name === "points") return "Points";
    if (name === "refined") return "Better";
    if (name === "other") return `Other: ${this.other?.words ?? ""}`;
    const { surface } = this.job?.facts ?? {};
    if (name === "mesh") return (surface === "grid" ? "Sharp, fewer triangles" : SURFACES[surface]) ?? "Mesh";
    return name === "grid" ? SURFACES.grid : SURFACES.poisson;
  }

  closed(name) {
    if (name === "refined") return true;
    return name === "mesh" && this.job?.facts?.surface === "solid";
  }

  meshes() {
    return MESHES.filter((name) => this.layers.get(name) || this.later.has(name));
  }

  // The first model, the better one, or both beside each other.
  choose(which) {
    const first = this.meshes().filter((name) => name !== "refined" && this.layers.get(name)).at(-1);
    if (!first || !this.layers.get("refined")) return;
    this.pictures.close();
    if (this.compare.on !== (which === "both")) this.toggle("compare", this.compare);
    this.compare.pick(first, "refined");
    this.chosen.surface = true;
    this.surface = which === "first" ? first : "refined";
    if (this.mode === "points") this.mode = "textured";
    this.show();
  }

  enable() {
    const meshes = this.meshes();
    for (const button of byId("modes").children) {
      button.disabled = button.dataset.mode === "points" ? !this.layers.get("points") : meshes.length === 0;
    }
    for (const name of ["reset", "camera", "turn", "ruler", "shot", "full"]) action(name).disabled = false;
    action("compare").disabled = !this.compare.possible();
    const pick = byId("surface");
    if (meshes.length) pick.replaceChildren(...meshes.map((name) => new Option(this.nameOf(name), name, false, name === this.surface)));
    pick.disabled = meshes.length < 2;
    if (this.compare.on) this.compare.offer();
  }

  visible() {
    if (this.compare.on) return this.compare.picks[1].value;
    if (this.mode === "points" && this.layers.get("points")) return "points";
    return this.layers.get(this.surface) ? this.surface : [...this.layers.all.keys()].at(-1);
  }

  setMode(mode) {
    this.mode = mode;
    this.pictures.close();
    this.show();
  }

  show() {
    this.layers.show(this.visible(), this.mode);
    this.markMode(this.mode);
    byId("surface").value = this.surface;
    this.turnAbout();
    this.onShown?.(this.compare.on ? "both" : this.visible() === "refined" ? "better" : "first");
    byId("size-slide").hidden = this.mode !== "points";
    byId("surface-pick").hidden = this.mode === "points" || this.compare.on;
    this.sizePoints();
    this.stage.invalidate();
  }

  // A closed model turns round its own middle, and so do the points and the open meshes that it was made of.
  turnAbout() {
    const visible = this.visible();
    this.turntable.closed = this.closed(visible);
    const about = [visible, "refined", "mesh"].find((name) => this.closed(name) && this.layers.get(name));
    if (!about) return;
    const layer = this.layers.get(about);
    layer.ball ??= ballAround(layer.sample);
    this.stage.turnAbout(layer.ball);
  }

  sizePoints() {
    const cloud = this.layers.get("points");
    if (!cloud) return;
    const { uniforms } = cloud.material;
    uniforms.size.value = Number(byId("size").value);
    uniforms.pixels.value = this.stage.pixelScale();
  }
}
