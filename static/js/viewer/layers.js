// What can be on the stage: the point cloud and the meshes, each loaded once, when it is looked at, and shown in the mode
// that is asked for.
import { GLTFLoader, Group, Mesh, Points, PLYLoader } from "../three.js";
import { medianDepth, sampleOf } from "./framing.js";
import { clay, normals, pointMaterial, underWires, wires } from "./materials.js";
import { Splats } from "./splats.js";

function release(object) {
  object.traverse((part) => {
    part.geometry?.dispose();
    part.userData.textured?.map?.dispose();
  });
}

// How far apart neighbours are at depth 1. Points come row by row, so most of them stand beside the one before.
function spacing(position) {
  const across = (index) => position.getX(index) / position.getZ(index);
  const gaps = [];
  for (let index = 1; index < position.count; index += 97) gaps.push(Math.abs(across(index) - across(index - 1)));
  return gaps.sort((a, b) => a - b)[gaps.length >> 1] ?? 0.002;
}

class Cloud {
  constructor(geometry) {
    this.material = pointMaterial();
    this.object = new Points(geometry, this.material);
    this.object.frustumCulled = false;
    this.material.uniforms.footprint.value = spacing(geometry.attributes.position);
    this.sample = sampleOf(geometry.attributes.position);
    this.distance = medianDepth(this.sample);
  }

  setMode() {}
}

class Surface {
  constructor(scene) {
    this.object = new Group();
    this.meshes = [];
    scene.traverse((part) => { if (part.isMesh) this.meshes.push(part); });
    for (const mesh of this.meshes) {
      mesh.userData.textured = mesh.material;
      mesh.frustumCulled = false;
    }
    this.object.add(scene);
    this.sample = sampleOf(this.meshes[0].geometry.attributes.position);
    this.distance = medianDepth(this.sample);
    this.mode = "textured";
  }

  setMode(mode) {
    if (mode === this.mode || mode === "points") return;
    this.mode = mode;
    for (const mesh of this.meshes) {
      if (mode !== "textured" && !mesh.geometry.attributes.normal) mesh.geometry.computeVertexNormals();
      mesh.material = { textured: mesh.userData.textured, wireframe: underWires, normals, clay }[mode];
      mesh.userData.wires ??= mode === "wireframe" ? this.addWires(mesh) : undefined;
      if (mesh.userData.wires) mesh.userData.wires.visible = mode === "wireframe";
    }
  }

  addWires(mesh) {
    const lines = new Mesh(mesh.geometry, wires);
    lines.frustumCulled = false;
    lines.raycast = () => {};  // the surface under it is what a ruler touches
    mesh.add(lines);
    return lines;
  }
}

export class Layers {
  constructor(stage) {
    this.stage = stage;
    this.scene = stage.scene;
    this.all = new Map();
    this.urls = new Map();  // name → where it lies
    this.coming = new Map();  // address → the layer that is being fetched
  }

  // It can be had there.
  offer(name, url) {
    this.urls.set(name, url);
  }

  has(name) {
    return this.urls.has(name);
  }

  isLoaded(name) {
    return this.all.get(name)?.url === this.urls.get(name);
  }

  // The layer, fetched if it is not there.
  async need(name, onShare = () => {}) {
    if (this.isLoaded(name)) return this.all.get(name);
    const url = this.urls.get(name);
    if (!this.coming.has(url)) this.coming.set(url, this.load(name, url, onShare).finally(() => this.coming.delete(url)));
    return this.coming.get(url);
  }

  async load(name, url, onShare) {
    const progress = (event) => event.lengthComputable && onShare(event.loaded / event.total);
    const layer = await this.made(name, url, progress);
    const old = this.all.get(name);
    if (old) {
      this.scene.remove(old.object);
      if (old.release) old.release();
      else release(old.object);
    }
    layer.url = url;
    this.all.set(name, layer);
    layer.object.visible = false;
    this.scene.add(layer.object);
    return layer;
  }

  async made(name, url, progress) {
    if (name === "splats") return Splats.load(url, this.stage);
    if (name === "points") return new Cloud(await new PLYLoader().loadAsync(url, progress));
    return new Surface((await new GLTFLoader().loadAsync(url, progress)).scene);
  }

  // Another photo's unit of length may be another one: seen from the photo's camera, nothing changes with this.
  scale(name, factor) {
    const layer = this.all.get(name);
    layer.object.scale.setScalar(factor);
    for (const point of layer.sample) point.multiplyScalar(factor);
    layer.distance *= factor;
  }

  get(name) {
    return this.all.get(name);
  }

  // Only this one is seen, in this mode; while it is fetched, what was there.
  show(name, mode) {
    if (!this.all.has(name)) return;
    for (const [each, layer] of this.all) layer.object.visible = each === name;
    this.all.get(name)?.setMode(mode);
  }
}
