// The viewer: the stage, what stands on it, and the tools under it.
import { listenForFullScreen, savePicture } from "./capture.js";
import { SURFACES } from "../words.js";
import { Compare, MESHES } from "./compare.js";
import { ballAround } from "./framing.js";
import { say } from "../say.js";
import { asRadioGroup, listenForKeys } from "./keys.js";
import { Layers } from "./layers.js";
import { Ruler } from "./ruler.js";
import { PIXELS } from "./splats.js";
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
    this.other = null;  // another model of the same photo: its job, and what it is called
    this.free = false;  // a scene may be turned past its cone
    this.chosen = { mode: false, surface: false };  // what the person chose is not changed by what arrives later
    this.stage = new Stage(byId("canvas"));
    this.layers = new Layers(this.stage);
    this.turntable = new Turntable(this.stage, (on) => action("turn").setAttribute("aria-pressed", String(on)));
    this.stage.onTouch = () => this.turntable.toggle(false);
    this.compare = new Compare(this.stage, this.layers, {
      mode: () => (this.ofSurface() ? this.mode : "textured"), nameOf: (name) => this.nameOf(name),
    });
    this.ruler = new Ruler(this.stage, {
      target: () => this.layers.get(this.touched())?.object, facts: () => this.job?.facts, tell: (text) => this.hint(text),
    });
    this.compare.onPick = () => this.fetchSeen();
    this.markMode = asRadioGroup(byId("modes"), (mode) => { this.chosen.mode = true; this.setMode(mode); });
    this.listen();
  }

  listen() {
    const toggleFull = listenForFullScreen(byId("viewer"), (on) => action("full").setAttribute("aria-pressed", String(on)));
    const acts = {
      reset: () => { this.stage.rest(); this.turntable.toggle(false); const layer = this.layers.get(this.visible()); if (layer) this.stage.lookAside(layer.sample); },
      free: () => { this.free = !this.free; this.limit(); },
      camera: () => { this.stage.rest(); this.turntable.toggle(false); this.stage.viewFromCamera(); },
      turn: () => this.turntable.toggle(),
      ruler: () => { this.stage.rest(); this.toggle("ruler", this.ruler); },
      compare: () => { this.stage.rest(); this.toggle("compare", this.compare); this.show(); },
      shot: () => savePicture(this.stage, this.job?.title),
      full: toggleFull,
    };
    for (const [name, act] of Object.entries(acts)) action(name).addEventListener("click", () => { if (name !== "full") this.pictures.close(); act(); });
    listenForKeys(this.stage, (name) => { if (!action(name).disabled) action(name).click(); });
    byId("surface").addEventListener("change", (event) => this.pick(event.target.value));
    byId("size").addEventListener("input", () => this.show());
    this.stage.before.push(() => this.sizePoints());
    this.stage.before.push(() => { if (this.drawsSplats()) this.layers.get("splats")?.sort(); });
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

  // It can be had there, and is fetched when somebody looks at it.
  offer(name, url) {
    this.layers.offer(name, url);
    this.enable();
  }

  // It is to be looked at now. onShare: told how much of it has come, 0 to 1.
  async add(name, onShare) {
    const layer = await this.layers.need(name, onShare);
    this.frame();
    if (name !== "points" && !this.chosen.mode) this.mode = "textured";
    if (name === "refined") this.chosen.surface = false;  // it was waited for
    if (!this.chosen.surface) this.surface = this.meshes().at(-1) ?? name;
    this.enable();
    this.show();
    if (name !== "points") this.stage.introduce(layer.sample, this.isScene());
  }

  pick(name) {
    this.chosen.surface = true;
    this.surface = name;
    if (!this.ofSurface()) this.mode = "textured";
    this.enable();
    this.show();
  }

  // A mesh is seen, in one of its modes, and neither points nor splats.
  ofSurface() {
    return this.mode !== "points" && this.mode !== "splats";
  }

  // One thing was cut out of the photo, or all of it is the model.
  isScene() {
    const { subject, surface } = this.job?.facts ?? {};
    return subject === "none" && surface !== "solid";
  }

  // What a ruler touches: there is nothing to touch of splats, but the mesh, or the points, they were made of.
  touched() {
    const visible = this.visible();
    return visible === "splats" ? [...this.meshes().reverse(), "points"].find((name) => this.layers.get(name)) : visible;
  }

  drawsSplats() {
    return this.compare.on ? this.compare.picks.some((pick) => pick.value === "splats") : this.visible() === "splats";
  }

  // A scene that was made for a cone is turned within it, unless that was freed.
  limit() {
    const { facts } = this.job ?? {};
    const cone = this.isScene() && facts.cone ? (facts.cone * Math.PI) / 180 : null;
    action("free").hidden = !cone;
    action("free").setAttribute("aria-pressed", String(this.free));
    this.stage.limit(this.free ? null : cone);
  }

  // Another model of the same photo on the left, this one's best on the right. Its unit may be another one: the nearest
  // place of both is taken as the same.
  async beside(job, { url }, words) {
    const mine = this.visible();
    this.layers.offer("other", url);
    const fresh = !this.layers.isLoaded("other");
    await this.layers.need("other");
    const [here, there] = [this.job?.facts?.near, job.facts?.near];
    if (fresh && here && there && Math.abs(here / there - 1) > 1e-3) this.layers.scale("other", here / there);
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
    if (name === "splats") return "Splats";
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
    return MESHES.filter((name) => this.layers.has(name));
  }

  // The first model, the better one, or both beside each other.
  choose(which) {
    const first = this.meshes().filter((name) => name !== "refined").at(-1);
    if (!first || !this.layers.has("refined")) return;
    this.pictures.close();
    if (this.compare.on !== (which === "both")) this.toggle("compare", this.compare);
    this.compare.pick(first, "refined");
    this.chosen.surface = true;
    this.surface = which === "first" ? first : "refined";
    if (!this.ofSurface()) this.mode = "textured";
    this.show();
  }

  enable() {
    const meshes = this.meshes();
    for (const button of byId("modes").children) {
      const { mode } = button.dataset;
      button.disabled = mode === "points" || mode === "splats" ? !this.layers.has(mode) : meshes.length === 0;
      if (mode === "splats") button.hidden = button.disabled;
    }
    if (this.layers.all.size) for (const name of ["reset", "camera", "turn", "ruler", "shot", "full", "free"]) action(name).disabled = false;
    action("compare").disabled = !this.layers.all.size || !this.compare.possible();
    const pick = byId("surface");
    if (meshes.length) pick.replaceChildren(...meshes.map((name) => new Option(this.nameOf(name), name, false, name === this.surface)));
    pick.disabled = meshes.length < 2;
    if (this.compare.on) this.compare.offer();
  }

  visible() {
    if (this.compare.on) return this.compare.picks[1].value;
    if (!this.ofSurface() && this.layers.has(this.mode)) return this.mode;
    return this.layers.has(this.surface) ? this.surface : [...this.layers.all.keys()].at(-1);
  }

  setMode(mode) {
    this.mode = mode;
    this.pictures.close();
    this.show();
  }

  // Fetch what is to be seen and is not there yet.
  fetchSeen() {
    const seen = this.compare.on ? this.compare.picks.map((pick) => pick.value) : [this.visible()];
    const missing = seen.filter((name) => name && !this.layers.isLoaded(name));
    byId("viewer").setAttribute("aria-busy", String(missing.length > 0));
    if (!missing.length || this.fetching === String(missing)) return;
    this.fetching = String(missing);
    this.hint("Fetching the model");
    Promise.all(missing.map((name) => this.layers.need(name))).then(() => this.frame()).catch((error) => {
      console.warn(error);
      say("A part of the model could not be loaded. Choose it again to try once more.");
      byId("viewer").setAttribute("aria-busy", "false");
      if (this.mode !== "splats") return true;
      this.mode = "textured";  // they need more of WebGL than a mesh does
      return false;
    }).then((failed) => {
      this.fetching = null;
      this.hint("");
      if (!failed) this.show();
    });
  }

  show() {
    this.fetchSeen();
    this.layers.show(this.visible(), this.mode);
    this.markMode(this.mode);
    byId("surface").value = this.surface;
    this.turnAbout();
    this.limit();
    this.stage.usePixels(this.drawsSplats() ? PIXELS : 2);
    this.onShown?.(this.compare.on ? "both" : this.visible() === "refined" ? "better" : "first");
    byId("size-slide").hidden = this.mode !== "points";
    byId("surface-pick").hidden = !this.ofSurface() || this.compare.on;
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
