// How a surface and a cloud can look.
import { DoubleSide, MeshBasicMaterial, MeshLambertMaterial, ShaderMaterial } from "../three.js";

// A point is as large as the pixel it came from: from the photo's camera there is neither gap nor overlap at size 1.
export function pointMaterial() {
  return new ShaderMaterial({
    vertexColors: true,
    uniforms: { size: { value: 1.5 }, footprint: { value: 0.002 }, pixels: { value: 500 } },
    vertexShader: `
      uniform float size, footprint, pixels;
      varying vec3 shade;
      varying float across;
      void main() {
        shade = color;
        vec4 seen = modelViewMatrix * vec4(position, 1.0);
        across = size * footprint * max(-position.z, 1e-4) * pixels / max(-seen.z, 1e-4);
        gl_PointSize = clamp(across, 1.0, 64.0);
        gl_Position = projectionMatrix * seen;
      }`,
    fragmentShader: `
      varying vec3 shade;
      varying float across;
      void main() {
        vec2 from = gl_PointCoord - 0.5;
        if (across > 4.0 && dot(from, from) > 0.25) discard;
        gl_FragColor = vec4(shade, 1.0);
        #include <colorspace_fragment>
      }`,
  });
}

// Directions as colours, in the photo camera's frame: right is red, up is green, towards the camera is blue.
export const normals = new ShaderMaterial({
  side: DoubleSide,
  vertexShader: "varying vec3 facing; void main() { facing = normal; gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0); }",
  fragmentShader: "varying vec3 facing; void main() { gl_FragColor = vec4(normalize(facing) * 0.5 + 0.5, 1.0); }",
});

export const clay = new MeshLambertMaterial({ color: 0xc9c2b8, side: DoubleSide });

export const underWires = new MeshLambertMaterial({
  color: 0xdedad3, side: DoubleSide, polygonOffset: true, polygonOffsetFactor: 1, polygonOffsetUnits: 1,
});
export const wires = new MeshBasicMaterial({ color: 0x0b4f45, wireframe: true, transparent: true, opacity: 0.4 });

// Above everything, so that a measured point is never lost behind the surface.
export const markers = new ShaderMaterial({
  depthTest: false, transparent: true, uniforms: { pixels: { value: 14 } },
  vertexShader: "uniform float pixels; void main() { gl_PointSize = pixels; gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0); }",
  fragmentShader: `void main() {
    float from = length(gl_PointCoord - 0.5);
    if (from > 0.5) discard;
    gl_FragColor = from > 0.32 ? vec4(1.0) : vec4(0.055, 0.416, 0.361, 1.0);
  }`,
});
