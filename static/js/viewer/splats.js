// Gaussian splats on the stage: a quad each, as large as its ellipse on the screen (EWA splatting, Zwicker et
// al. 2001, eq. 31), blended from far to near. A worker packs the file and sorts. Quads are drawn by instances of many: one of
// a single quad costs more than its drawing.
import {
  BufferGeometry, CustomBlending, DataTexture, Float32BufferAttribute, GLSL3, InstancedBufferGeometry, Mesh,
  OneFactor, OneMinusSrcAlphaFactor, RawShaderMaterial, RedIntegerFormat, RGBAIntegerFormat, UnsignedIntType, Vector2, Vector3,
} from "../three.js";
import { medianDepth, sampleOf } from "./framing.js";

const ACROSS = 1024;  // splats in a row of the texture, two texels each: as the worker has it
const TOGETHER = 128;  // quads of an instance
const TURNED = Math.cos(0.01);  // radians that the view may turn by until splats are sorted anew
export const PIXELS = 1.5;  // pixel ratio at most: filling pixels is what takes the time

const vertexShader = `
  precision highp float;
  precision highp int;
  precision highp usampler2D;
  uniform usampler2D splats, turns;
  uniform int count;
  uniform mat4 modelViewMatrix, projectionMatrix;
  uniform vec2 pixels;  // of the picture
  uniform float scale;  // of the variances in the texture
  in vec3 position;  // a quad's corner, and which of its instance's it is
  out vec2 from;  // the middle, in standard deviations
  out vec4 shade;
  void main() {
    gl_Position = vec4(0.0, 0.0, 2.0, 1.0);  // nowhere
    int place = gl_InstanceID * ${TOGETHER} + int(position.z);
    if (place >= count) return;
    int which = int(texelFetch(turns, ivec2(place & ${ACROSS - 1}, place / ${ACROSS}), 0).x);
    ivec2 at = ivec2((which & ${ACROSS - 1}) * 2, which / ${ACROSS});
    uvec4 first = texelFetch(splats, at, 0), second = texelFetch(splats, at + ivec2(1, 0), 0);
    vec4 seen = modelViewMatrix * vec4(uintBitsToFloat(first.xyz), 1.0);
    vec4 clip = projectionMatrix * seen;
    if (clip.w <= 0.0 || abs(clip.z) > clip.w || any(greaterThan(abs(clip.xy), vec2(1.4 * clip.w)))) return;
    vec2 a = unpackHalf2x16(second.x), b = unpackHalf2x16(second.y), c = unpackHalf2x16(second.z);
    mat3 shape = mat3(a.x, a.y, b.x, a.y, b.y, c.x, b.x, c.x, c.y) / scale;
    vec2 focal = vec2(projectionMatrix[0][0], projectionMatrix[1][1]) * pixels / 2.0;
    float d = -seen.z;
    mat3 slope = mat3(focal.x / d, 0.0, 0.0, 0.0, focal.y / d, 0.0, focal.x * seen.x / (d * d), focal.y * seen.y / (d * d), 0.0);
    mat3 turned = slope * mat3(modelViewMatrix);
    mat3 flat_ = turned * shape * transpose(turned);
    float xx = flat_[0][0] + 0.3, xy = flat_[0][1], yy = flat_[1][1] + 0.3;  // never thinner than a pixel
    float middle = (xx + yy) / 2.0, apart = length(vec2((xx - yy) / 2.0, xy));
    vec2 spread = sqrt(vec2(middle + apart, max(middle - apart, 0.1)));
    vec2 along = abs(xy) < 1e-6 ? (xx >= yy ? vec2(1.0, 0.0) : vec2(0.0, 1.0)) : normalize(vec2(xy, middle + apart - xx));
    from = 3.0 * position.xy;
    vec2 reach = clamp(from * spread, -1024.0, 1024.0);
    vec2 aside = reach.x * along + reach.y * vec2(-along.y, along.x);
    gl_Position = vec4(clip.xy / clip.w + 2.0 * aside / pixels, clip.z / clip.w, 1.0);
    shade = vec4((first.www >> uvec3(0u, 8u, 16u)) & 255u, first.w >> 24u) / 255.0;
  }`;
const fragmentShader = `
  precision highp float;
  in vec2 from;
  in vec4 shade;
  out vec4 colour;
  void main() {
    float square = dot(from, from);
    if (square > 9.0) discard;
    float alpha = shade.a * exp(-0.5 * square);
    colour = vec4(shade.rgb * alpha, alpha);
  }`;

// A texture of 32-bit whole numbers, a row for ACROSS splats.
function wholeNumbers(data, rows, format, internalFormat) {
  const wide = data.length / rows / (format === RGBAIntegerFormat ? 4 : 1);
  const texture = new DataTexture(data, wide, rows, format, UnsignedIntType);
  return Object.assign(texture, { internalFormat, needsUpdate: true });
}

// One instance's quads; there are none yet.
function quads() {
  const geometry = new InstancedBufferGeometry();
  const all = Array.from({ length: TOGETHER }, (_, quad) => quad);
  const corners = all.flatMap((quad) => [-1, -1, quad, 1, -1, quad, 1, 1, quad, -1, 1, quad]);
  geometry.setAttribute("position", new Float32BufferAttribute(corners, 3));
  geometry.setIndex(all.flatMap((quad) => [0, 1, 2, 0, 2, 3].map((corner) => 4 * quad + corner)));
  geometry.instanceCount = 0;
  return geometry;
}

export class Splats {
  // stage: its camera says from where they are to be sorted.
  static async load(url, stage) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    const splats = new Splats(await answer.arrayBuffer(), stage);
    await splats.ready;
    return splats;
  }

  constructor(file, stage) {
    this.stage = stage;
    this.direction = null;  // of the last sort that was asked for
    this.sorting = false;
    this.worker = new Worker(new URL("./splat_worker.js", import.meta.url), { type: "module" });
    this.ready = new Promise((done, failed) => {
      this.worker.addEventListener("error", () => failed(new Error("the splats' worker stopped")));
      this.worker.addEventListener("message", ({ data }) => {
        if (data.turn) this.show(data.turn);
        else this.build(data);
        if (data.turn) done();
      });
    });
    this.worker.postMessage({ file }, [file]);
  }

  build({ count, rows, texels, places, scale }) {
    this.turns = wholeNumbers(new Uint32Array(rows * ACROSS), rows, RedIntegerFormat, "R32UI");
    const uniforms = {
      splats: { value: wholeNumbers(texels, rows, RGBAIntegerFormat, "RGBA32UI") }, turns: { value: this.turns },
      count: { value: count }, pixels: { value: new Vector2() }, scale: { value: scale },
    };
    const material = new RawShaderMaterial({
      vertexShader, fragmentShader, uniforms, glslVersion: GLSL3, transparent: true, depthWrite: false,
      blending: CustomBlending, blendSrc: OneFactor, blendDst: OneMinusSrcAlphaFactor,
    });
    this.object = Object.assign(new Mesh(quads(), material), { frustumCulled: false, raycast: () => {} });
    this.object.onBeforeRender = (renderer) => { renderer.getDrawingBufferSize(uniforms.pixels.value); };
    this.sample = sampleOf(new BufferGeometry().setAttribute("position", new Float32BufferAttribute(places, 3)).attributes.position);
    this.distance = medianDepth(this.sample);
    this.sort();
  }

  // Called before each picture: sorted anew, in the worker, if the view has turned.
  sort() {
    const now = this.stage.camera.getWorldDirection(new Vector3());
    if (this.sorting || (this.direction && now.dot(this.direction) > TURNED)) return;
    this.sorting = true;
    this.direction = now;
    this.worker.postMessage({ direction: now.toArray() });
  }

  show(turn) {
    this.sorting = false;
    this.turns.image.data.set(turn);
    this.turns.needsUpdate = true;
    this.object.geometry.instanceCount = Math.ceil(turn.length / TOGETHER);
    this.stage.invalidate();
  }

  setMode() {}

  release() {
    this.worker.terminate();
    this.object.geometry.dispose();
    this.object.material.uniforms.splats.value.dispose();
    this.turns.dispose();
    this.object.material.dispose();
  }
}
