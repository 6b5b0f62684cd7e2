// The 3D picture on a page: drawn anew, in the browser, whenever the strength or the screen moves.
import { asRadioGroup } from "../viewer/keys.js";
import { anaglyphRow, disparityOf, eachRow } from "./warp.js";

const byId = (id) => document.getElementById(id);
const ROCK = 1400;  // milliseconds of a wiggle's loop
const PICTURES = 12;  // of it

// Degrees that eyes turn from the screen by one percent of its width: 27 inches at 0.7 m, 55 inches at 2.5 m. One is comfortable.
const SCREENS = [["27-inch", 0.49], ["55-inch", 0.279]];

function comfortOf({ behind, front }) {
  const most = Math.max(front, -behind);
  const range = `${behind.toFixed(1)} % behind to +${Math.max(front, 0).toFixed(1)} % in front`;
  const strained = SCREENS.filter(([, degrees]) => most * degrees > 1).map(([name]) => name);
  return `${range}: ${strained.length ? `strains the eyes on a ${strained.join(" and a ")} screen` : "comfortable"}`;
}

async function pixelsOf(url, size) {
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  const canvas = document.createElement("canvas");
  const { width, height } = size ?? { width: picture.naturalWidth, height: picture.naturalHeight };
  Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(picture, 0, 0, width, height);
  return pen.getImageData(0, 0, width, height);
}

export class StereoPreview {
  // onMode(mode): "off" where the page has something else to show.
  constructor(onMode = () => {}) {
    Object.assign(this, { onMode, source: null, mode: "off", loaded: "", frame: 0, last: -1 });
    this.canvas = byId("stereo-canvas");
    this.mark = asRadioGroup(byId("stereo-modes"), (mode) => this.show(mode));
    for (const name of ["strength", "screen"]) byId(`stereo-${name}`).addEventListener("input", () => { this.touched = true; this.change(); });
    byId("stereo-comfort").addEventListener("change", () => this.change());
    this.mark("off");
  }

  // begins: { strength, screen } until somebody moves a slider.
  async load(picture, nearness, begins) {
    if (this.loaded === nearness) return;
    this.loaded = nearness;
    const rgba = await pixelsOf(picture);
    const { width, height } = rgba;
    const grey = await pixelsOf(nearness, { width, height });
    this.source = { rgba: rgba.data, near: Uint8Array.from({ length: width * height }, (_, i) => grey.data[4 * i]), width, height };
    if (begins && !this.touched) {
      byId("stereo-strength").value = begins.strength;
      byId("stereo-screen").value = begins.screen;
    }
    for (const part of document.querySelectorAll("#stereo :disabled:not([data-later])")) part.disabled = false;
    this.change();
  }

  // What was chosen; null for what was left as it was.
  chosen() {
    const [strength, screen] = ["strength", "screen"].map((name) => Number(byId(`stereo-${name}`).value));
    return { strength, screen, comfort: byId("stereo-comfort").checked };
  }

  show(mode) {
    this.mode = mode;
    this.mark(mode);
    this.canvas.hidden = mode === "off";
    this.onMode(mode);
    this.change();
  }

  change() {
    const { strength, screen } = this.chosen();
    byId("stereo-strength-told").textContent = `${strength.toFixed(1)} %`;
    byId("stereo-screen-told").textContent = screen === 0 ? "the farthest" : screen === 1 ? "the nearest" : screen.toFixed(2);
    if (!this.source) return;
    this.disparity = disparityOf(this.source, this.chosen());
    byId("stereo-range").textContent = comfortOf(this.disparity);
    cancelAnimationFrame(this.frame);
    this.last = -1;
    if (this.mode !== "off") this.frame = requestAnimationFrame((now) => this.draw(now));
  }

  draw(now) {
    if (this.mode === "wiggle") {
      const number = Math.floor((PICTURES * (now % ROCK)) / ROCK);
      if (number !== this.last) this.drawViews([-0.5 * Math.cos((2 * Math.PI * number) / PICTURES)]);
      this.last = number;
      this.frame = requestAnimationFrame((later) => this.draw(later));
    } else this.drawViews(this.mode === "cross" ? [0.5, -0.5] : [-0.5, 0.5]);
  }

  drawViews(parts) {
    const { width, height } = this.source;
    const flat = this.mode === "anaglyph";
    const across = flat ? 1 : parts.length;
    if (this.canvas.width !== across * width || this.canvas.height !== height) Object.assign(this.canvas, { width: across * width, height });
    const pen = this.canvas.getContext("2d");
    const out = pen.createImageData(across * width, height);
    eachRow(this.source, this.disparity.d, parts, (y, ...views) => {
      if (flat) return anaglyphRow(...views, out.data, y * width, width);
      views.forEach((view, i) => {
        for (let x = 0; x < width; x++) {
          const place = 4 * (y * across * width + i * width + x);
          out.data[place] = view[3 * x];
          out.data[place + 1] = view[3 * x + 1];
          out.data[place + 2] = view[3 * x + 2];
          out.data[place + 3] = 255;
        }
      });
    });
    pen.putImageData(out, 0, 0);
  }
}
