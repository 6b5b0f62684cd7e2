// The straight distance between two points of the model.
import { BufferGeometry, Float32BufferAttribute, Line, LineBasicMaterial, Points, Raycaster, Vector2 } from "../three.js";
import { length, whatLengthsMean } from "../words.js";
import { markers } from "./materials.js";

const CLICK = 5;  // a pointer that moved farther, in pixels, was turning the model

export class Ruler {
  // target(): the object to touch; facts(): what the lengths are worth.
  constructor(stage, { target, facts, tell }) {
    Object.assign(this, { stage, target, facts, tell, on: false, points: [] });
    this.label = document.getElementById("measure");
    this.crosshair = document.getElementById("crosshair");
    this.geometry = new BufferGeometry();
    this.geometry.setAttribute("position", new Float32BufferAttribute(new Float32Array(6), 3));
    const line = new Line(this.geometry, new LineBasicMaterial({ color: 0xffffff, depthTest: false, transparent: true }));
    this.drawn = [line, new Points(this.geometry, markers)];
    for (const each of this.drawn) Object.assign(each, { frustumCulled: false, renderOrder: 10, visible: false, raycast: () => {} });
    stage.scene.add(...this.drawn);
    stage.after.push(() => this.placeLabel());
    this.listen();
  }

  listen() {
    const { canvas } = this.stage;
    let down = null;
    canvas.addEventListener("pointerdown", (event) => { down = event.isPrimary ? [event.clientX, event.clientY] : null; });
    canvas.addEventListener("pointerup", (event) => {
      if (!this.on || !down || Math.hypot(event.clientX - down[0], event.clientY - down[1]) > CLICK) return;
      const box = canvas.getBoundingClientRect();
      this.mark(((event.clientX - box.left) / box.width) * 2 - 1, 1 - ((event.clientY - box.top) / box.height) * 2);
    });
    canvas.addEventListener("keydown", (event) => {
      if (!this.on || event.key !== "Enter") return;
      event.preventDefault();
      this.mark(0, 0);
    });
    canvas.addEventListener("keydown", (event) => { if (event.key.startsWith("Arrow")) this.crosshair.hidden = !this.on; });
    canvas.addEventListener("pointerdown", () => { this.crosshair.hidden = true; });
  }

  toggle(on = !this.on) {
    this.on = on;
    this.points = [];
    this.crosshair.hidden = true;
    document.getElementById("viewer").classList.toggle("measuring", on);
    this.tell(on ? "Click two points of the model, or turn it with the arrow keys and press Enter" : "");
    this.show();
  }

  // x, y: −1 to 1 on the canvas.
  mark(x, y) {
    const object = this.target();
    if (!object) return;
    const ray = new Raycaster();
    ray.setFromCamera(new Vector2(x, y), this.stage.camera);
    const distance = this.stage.camera.position.distanceTo(this.stage.controls.target);
    ray.params.Points.threshold = (distance * 6) / this.stage.pixelScale();
    const hits = ray.intersectObject(object, true);
    // Of points, the one nearest to the ray among the front ones; of a surface, the first.
    const near = hits.filter((hit) => hit.distance < hits[0].distance * 1.02);
    const hit = near.sort((a, b) => (a.distanceToRay ?? a.distance) - (b.distanceToRay ?? b.distance))[0];
    if (!hit) return this.tell("There is nothing at this place; click on the model");
    if (this.points.length === 2) this.points = [];
    this.points.push(hit.point.clone());
    if (this.points.length === 1) this.tell("And the second point");
    else this.tell(whatLengthsMean(this.facts()));
    this.show();
  }

  text() {
    return length(this.points[0].distanceTo(this.points[1]), this.facts());
  }

  show() {
    const [first, second = first] = this.points;
    for (const each of this.drawn) each.visible = Boolean(first);
    if (first) {
      const { position } = this.geometry.attributes;
      position.setXYZ(0, ...first);
      position.setXYZ(1, ...second);
      position.needsUpdate = true;
    }
    this.label.hidden = this.points.length < 2;
    if (this.points.length === 2) this.label.textContent = this.text();
    markers.uniforms.pixels.value = 14 * this.stage.renderer.getPixelRatio();
    this.stage.invalidate();
  }

  placeLabel() {
    if (this.points.length < 2) return;
    const { clientWidth: width, clientHeight: height } = this.stage.canvas;
    const middle = this.points[0].clone().add(this.points[1]).multiplyScalar(0.5).project(this.stage.camera);
    const x = Math.min(width - this.label.offsetWidth - 8, Math.max(8, ((middle.x + 1) / 2) * width - this.label.offsetWidth / 2));
    const y = Math.min(height - 40, Math.max(8, ((1 - middle.y) / 2) * height - 44));
    this.label.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
    this.label.hidden = middle.z > 1;
  }
}
