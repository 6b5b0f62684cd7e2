// Two models in one picture, left and right of a line that can be moved. One camera sees both.

export const MESHES = ["smooth", "grid", "mesh", "refined"];  // the better ones last
const ORDER = ["points", "splats", ...MESHES];

export class Compare {
  // mode(): how meshes are shown; nameOf(layer): what it is called.
  constructor(stage, layers, { mode, nameOf }) {
    Object.assign(this, { stage, layers, mode, nameOf, on: false, share: 0.5, onPick: () => {} });
    this.plain = stage.draw;
    const byId = (id) => document.getElementById(id);
    this.parts = { divider: byId("divider"), line: byId("dividerline"), pair: byId("pair") };
    this.picks = [byId("pair-left"), byId("pair-right")];
    this.parts.divider.addEventListener("input", () => { this.share = this.parts.divider.value / 1000; this.show(); });
    for (const pick of this.picks) pick.addEventListener("change", () => { this.onPick(); this.show(); });
  }

  possible() {
    return this.layers.urls.size > 1;
  }

  // Fill the two lists with what is there; what was chosen stays chosen.
  offer() {
    const there = ["other", ...ORDER].filter((name) => this.layers.has(name));
    const wanted = [there.at(-2), there.at(-1)];
    this.picks.forEach((pick, index) => {
      const chosen = this.on && pick.value ? pick.value : wanted[index];
      pick.replaceChildren(...there.map((name) => new Option(this.nameOf(name), name, false, name === chosen)));
    });
  }

  // Those two, if both are there.
  pick(...names) {
    this.picks.forEach((pick, index) => { pick.value = names[index]; });
    this.show();
  }

  toggle(on = !this.on) {
    this.offer();
    this.on = on && this.possible();
    for (const part of Object.values(this.parts)) part.hidden = !this.on;
    this.stage.draw = this.on ? () => this.draw() : this.plain;
    this.show();
  }

  show() {
    if (this.on) {
      this.parts.line.style.left = `${this.share * 100}%`;
      this.parts.divider.setAttribute("aria-valuetext", `${Math.round(this.share * 100)} % before`);
    }
    this.stage.invalidate();
  }

  draw() {
    const width = this.stage.canvas.clientWidth;
    const cut = Math.round(width * this.share);
    for (const [name, left, right] of [[this.picks[0].value, 0, cut], [this.picks[1].value, cut, width]]) {
      this.layers.show(name, this.mode());
      this.stage.drawWithin(left, right);
    }
  }
}
