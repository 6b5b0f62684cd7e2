// The canvas: renderer, one camera, orbit controls. Draws only when something changed.
// Frame: glTF's (x right, y up). The photo's camera stands at the origin and looks along −z.
import { DirectionalLight, HemisphereLight, OrbitControls, PerspectiveCamera, Scene, Spherical, Vector3, WebGLRenderer } from "../three.js";
import { slowed } from "./cone.js";
import { whereSeenWhole } from "./framing.js";
import { swing } from "./swing.js";

const MARGIN = 1.04;  // a little air around the photo's frame
const AIR = 1.12;  // and around a model seen aside
const GLIDE = 450;  // milliseconds from one view to another
const INTRODUCTION = 1800;  // and from the photo's view to the first one aside
const ASIDE = new Vector3().setFromSphericalCoords(1, Math.PI / 2 - 0.1, 0.2);  // radians: a little above, a little to the right
const SAME = 0.1;  // two closed models whose middles and radii differ by less, in parts of the radius, are in one place
const FARTHEST = 1.5;  // times the distance from which the photo was taken

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.renderer = new WebGLRenderer({ canvas, alpha: true, antialias: true });
    this.renderer.setClearColor(0x000000, 0);
    this.scene = new Scene();
    this.camera = new PerspectiveCamera(50, 1, 0.01, 100);
    this.scene.add(this.camera, new HemisphereLight(0xffffff, 0x8f877d, 1.5));
    const lamp = new DirectionalLight(0xffffff, 1.9);
    lamp.position.set(-1.3, 1.5, 0.7);
    this.camera.add(lamp, lamp.target);  // the light comes over the viewer's shoulder
    lamp.target.position.set(0, 0, -1);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = !calm();
    this.controls.dampingFactor = 0.12;
    this.controls.addEventListener("change", () => { this.keepInCone(); this.invalidate(); });
    this.controls.addEventListener("start", () => { this.rest(); this.held = true; this.onTouch?.(); this.leavePhoto(); });
    this.controls.addEventListener("end", () => { this.held = false; });
    this.frame = { tanX: Math.tan(Math.PI / 6), tanY: Math.tan(Math.PI / 6), distance: 1 };
    this.motion = null;  // (milliseconds) → whether it goes on
    this.introduced = false;
    this.cone = null;  // radians that the view may be turned by from the photo's; null: there is no end to it
    this.aside = 0;  // radians that it is turned by
    this.mostPixels = 2;  // of the canvas for one of the page's, in each direction
    this.seen = true;  // on the screen
    this.ball = null;  // the middle and the radius of a closed model
    this.atPhoto = true;  // one looks from the photo's camera
    this.held = false;  // the pointer turns it
    this.before = [];  // called before each picture
    this.after = [];  // and after it
    this.draw = () => this.drawWithin(0, this.canvas.clientWidth);
    this.setFrame({});
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
    new IntersectionObserver(([{ isIntersecting }]) => {
      this.seen = isIntersecting;
      if (isIntersecting) this.invalidate();
    }).observe(canvas);
    canvas.addEventListener("webglcontextrestored", () => this.invalidate());
    this.resize();
  }

  // fovX: degrees, of the photo; width, height: of the photo; distance: to what one turns around.
  setFrame({ fovX = 60, width = 4, height = 3, distance = 1 }) {
    const tanX = Math.tan((fovX * Math.PI) / 360);
    const same = this.frame.tanX === tanX && this.frame.distance === distance && this.frame.tanY === (tanX * height) / width;
    if (same) return;
    const atCamera = this.camera.position.length() < 1e-4;
    this.frame = { tanX, tanY: (tanX * height) / width, distance };
    this.controls.minDistance = distance * 0.05;
    this.controls.maxDistance = distance * 12;
    this.camera.near = distance * 0.01;
    this.camera.far = distance * 60;
    this.fit();
    if (atCamera) this.place(new Vector3(), this.ahead());
  }

  // What one turns around: a closed model's own middle, or the place in the middle of the photo at the scene's depth.
  middle() {
    return this.ball?.middle.clone() ?? new Vector3(0, 0, -this.frame.distance);
  }

  // The nearest place to it that the photo's camera looks straight at.
  ahead() {
    return new Vector3(0, 0, Math.min(this.middle().z, -this.controls.minDistance));
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas.parentElement;
    if (!width || !height) return;
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, this.mostPixels));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.fit();
    this.redraw();  // in the same task, or the canvas is empty for one picture
    this.invalidate();
  }

  usePixels(most) {
    if (most === this.mostPixels) return;
    this.mostPixels = most;
    this.resize();
  }

  // The scene, in the columns from left to right of the canvas. Of one that has a cone the photo's frame is a window: what was
  // made up beyond its border is seen only when the scene is turned.
  drawWithin(left, right) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const tan = Math.tan((this.camera.fov * Math.PI) / 360);
    const wide = this.cone ? Math.min(width, (width * this.frame.tanX) / (tan * this.camera.aspect)) : width;
    const high = this.cone ? Math.min(height, (height * this.frame.tanY) / tan) : height;
    const [from, to] = [Math.max(left, (width - wide) / 2), Math.min(right, (width + wide) / 2)];
    if (to <= from) return;
    this.renderer.setScissorTest(true);
    this.renderer.setScissor(from, (height - high) / 2, to - from, high);
    this.renderer.render(this.scene, this.camera);
    this.renderer.setScissorTest(false);
  }

  redraw() {
    for (const prepare of this.before) prepare();
    this.draw();
  }

  // The whole photo is in view from the origin, whatever the window's shape.
  fit() {
    const { tanX, tanY } = this.frame;
    this.camera.fov = (Math.atan(Math.max(tanY, tanX / this.camera.aspect) * MARGIN) * 360) / Math.PI;
    this.camera.updateProjectionMatrix();
    this.invalidate();
  }

  // Pixels (of the canvas) per unit of length at distance 1.
  pixelScale() {
    return this.canvas.height / (2 * Math.tan((this.camera.fov * Math.PI) / 360));
  }

  place(position, target) {
    this.camera.position.copy(position);
    this.controls.target.copy(target);
    this.controls.update();
    this.invalidate();
  }

  // A turn ends softly at the cone around the direction from the target to where the photo's camera stood.
  keepInCone() {
    if (!this.cone) return;
    const { position } = this.camera;
    const { target } = this.controls;
    const offset = position.clone().sub(target);
    const home = target.clone().negate().normalize();
    const angle = offset.angleTo(home);
    const allowed = slowed(this.aside, angle, this.cone);
    if (allowed < angle) {
      const axis = home.clone().cross(offset).normalize();
      position.copy(home.multiplyScalar(offset.length()).applyAxisAngle(axis, allowed)).add(target);
      this.camera.lookAt(target);
    }
    this.aside = allowed;
  }

  // cone: radians, or null: it can be turned all round.
  limit(cone) {
    if (cone === this.cone) return;
    this.cone = cone;
    this.invalidate();
    if (!cone) return;
    this.aside = this.camera.position.clone().sub(this.controls.target).angleTo(this.controls.target.clone().negate());
    if (this.aside > cone) this.viewFromCamera();
  }

  // Whatever moves by itself stops where it is.
  rest() {
    this.motion = null;
    this.introduced = true;
  }

  // Turn around the target (radians) and go nearer (factor < 1) or farther.
  orbit(right, up, factor = 1) {
    this.introduced = true;
    if (this.atPhoto && this.ball) this.controls.target.copy(this.ball.middle);
    this.atPhoto = false;
    const offset = this.camera.position.clone().sub(this.controls.target);
    const around = new Spherical().setFromVector3(offset);
    around.theta += right;
    around.phi = Math.min(Math.PI - 0.05, Math.max(0.05, around.phi + up));
    around.radius = Math.min(this.controls.maxDistance, Math.max(this.controls.minDistance, around.radius * factor));
    this.place(offset.setFromSpherical(around).add(this.controls.target), this.controls.target);
  }

  glide(position, target, duration = GLIDE) {
    this.introduced = true;
    this.goal = { position, target };
    if (calm()) return this.place(position, target);
    const from = { position: this.camera.position.clone(), target: this.controls.target.clone() };
    let begin = null;
    this.move((now) => {
      begin ??= now;
      const share = Math.min(1, (now - begin) / duration);
      const eased = share * share * (3 - 2 * share);
      this.place(from.position.clone().lerp(position, eased), from.target.clone().lerp(target, eased));
      return share < 1;
    });
  }

  viewFromCamera() {
    this.atPhoto = true;
    this.glide(new Vector3(), this.ahead());
  }

  // From the photo's camera one looks past the middle of a closed model: as soon as it is turned, that comes to the middle.
  leavePhoto() {
    const [leaves, from, to] = [this.atPhoto, this.controls.target.clone(), this.middle()];
    this.atPhoto = false;
    if (!leaves || !this.ball) return;
    let begin = null;
    this.move((now) => {
      begin ??= now;
      const share = calm() ? 1 : Math.min(1, (now - begin) / GLIDE);
      this.controls.target.lerpVectors(from, to, share * share * (3 - 2 * share));
      return share < 1;
    });
  }

  // How much farther one has to be to see all of the closed model; 1 if it is seen, or there is none.
  tooNear() {
    if (!this.ball) return 1;
    return Math.max(1, this.distanceForWhole() / this.camera.position.distanceTo(this.controls.target));
  }

  distanceForWhole() {
    const up = (this.camera.fov * Math.PI) / 360;
    const across = Math.atan(Math.tan(up) * this.camera.aspect);
    return (this.ball.radius * AIR) / Math.sin(Math.min(up, across));
  }

  // A closed model is shown: one turns around its middle from now on, and sees it whole if it is not where the last one was.
  turnAbout(ball) {
    const last = this.ball;
    const near = last && ball.middle.distanceTo(last.middle) < SAME * last.radius && Math.abs(ball.radius - last.radius) < SAME * last.radius;
    if (near) return;
    this.ball = ball;
    if (this.atPhoto) this.place(new Vector3(), this.ahead());
    else if (!this.held) this.lookWhole(this.direction());
  }

  // From the target to the camera; of a motion, to where it goes.
  direction() {
    const { position, target } = this.motion && this.goal ? this.goal : { position: this.camera.position, target: this.controls.target };
    return position.clone().sub(target).normalize();
  }

  // The closed model whole and in the middle, from a direction; wherever it is turned to, it stays whole.
  lookWhole(direction, duration = GLIDE) {
    this.glide(this.ball.middle.clone().addScaledVector(direction, this.distanceForWhole()), this.ball.middle.clone(), duration);
  }

  // The whole of a model from a little aside, where depth is seen at once.
  lookAside(sample, duration = GLIDE) {
    this.atPhoto = false;
    if (this.ball) return this.lookWhole(ASIDE, duration);
    const tanY = Math.tan((this.camera.fov * Math.PI) / 360) / AIR;
    const { offset, distance } = whereSeenWhole(sample, this.middle(), ASIDE, tanY * this.camera.aspect, tanY);
    const target = this.middle().add(offset);
    this.glide(target.clone().addScaledVector(ASIDE, Math.min(distance, this.frame.distance * FARTHEST)), target, duration);
  }

  // Once, unless the person was first: a scene swings about the photo's own view; from there something closed looks flat, and
  // is seen from aside.
  introduce(sample, scene) {
    if (this.introduced) return;
    this.introduced = true;
    if (!scene) return this.lookAside(sample, INTRODUCTION);
    if (calm()) return;
    this.atPhoto = false;
    swing(this);
  }

  move(motion) {
    this.motion = motion;
    this.invalidate();
  }

  invalidate() {
    if (this.asked) return;
    this.asked = requestAnimationFrame((now) => {
      this.asked = null;
      if (this.motion) {
        const motion = this.motion;
        const goesOn = motion(now);
        if (this.motion === motion && !goesOn) this.motion = null;
        if (this.motion && this.seen) this.invalidate();
      }
      this.controls.update();  // damping: a change asks for the next picture
      this.redraw();
      for (const tell of this.after) tell();
    });
  }
}
