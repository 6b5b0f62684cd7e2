// Gaussian splats: a .splat file packed for the shader once, and its splats in order, far ones first, for each direction.
// File: 32 bytes a splat: 3 float32 place, 3 float32 standard deviations, RGBA, quaternion w x y z as q·128 + 128; in the
// photo camera's frame (x right, y down, z forward). What goes out is in glTF's (y up, z back).

const BYTES = 32;
const KEYS = 65536;  // depths of the counting sort
const ACROSS = 1024;  // splats in a row of the texture

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

// A float32's bits as a half float; rounded down, too small is 0, too large the largest.
function half(value) {
  float[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const exponent = ((bits[0] >>> 23) & 255) - 112;
  if (exponent > 30) return sign | 0x7bff;
  if (exponent > 0) return sign | (exponent << 10) | ((bits[0] >>> 13) & 1023);
  return exponent < -9 ? sign : sign | ((((bits[0] & 0x7fffff) | 0x800000) >>> (14 - exponent)));
}

const pair = (low, high) => (half(low) | (half(high) << 16)) >>> 0;

const r = new Float64Array(9);  // a splat's axes, times its standard deviations
const product = (i, j) => r[i] * r[j] + r[i + 1] * r[j + 1] + r[i + 2] * r[j + 2];

// The columns of R·diag(s), of which a covariance is the product with itself.
function setAxes(sx, sy, sz, w, x, y, z) {
  r[0] = (1 - 2 * (y * y + z * z)) * sx;
  r[1] = 2 * (x * y - w * z) * sy;
  r[2] = 2 * (x * z + w * y) * sz;
  r[3] = 2 * (x * y + w * z) * sx;
  r[4] = (1 - 2 * (x * x + z * z)) * sy;
  r[5] = 2 * (y * z - w * x) * sz;
  r[6] = 2 * (x * z - w * y) * sx;
  r[7] = 2 * (y * z + w * x) * sy;
  r[8] = (1 - 2 * (x * x + y * y)) * sz;
}

// What lengths are multiplied by: half floats reach over nine decades, and the middle one of the largest variances is 1 then.
function scaleOf(floats, count) {
  const largest = [];
  for (let i = 0; i < count; i += Math.max(1, count >> 10)) largest.push(Math.max(floats[8 * i + 3], floats[8 * i + 4], floats[8 * i + 5]));
  const middle = largest.sort((a, b) => a - b)[largest.length >> 1] || 1;
  return 1 / middle;
}

// Two texels a splat: place and colour; covariance.
function packed(file) {
  const count = Math.floor(file.byteLength / BYTES);
  const [floats, words, bytes] = [new Float32Array(file, 0, 8 * count), new Uint32Array(file, 0, 8 * count), new Uint8Array(file)];
  const rows = Math.max(1, Math.ceil(count / ACROSS));
  const texels = new Uint32Array(rows * ACROSS * 8);
  const asFloat = new Float32Array(texels.buffer);
  const places = new Float32Array(3 * count);
  const scale = scaleOf(floats, count);
  for (let i = 0; i < count; i++) {
    const at = 8 * i;  // eight numbers a splat in the file as in the texture
    places[3 * i] = asFloat[at] = floats[at];
    places[3 * i + 1] = asFloat[at + 1] = -floats[at + 1];
    places[3 * i + 2] = asFloat[at + 2] = -floats[at + 2];
    texels[at + 3] = words[at + 6];
    const [w, x, y, z] = [0, 1, 2, 3].map((part) => bytes[BYTES * i + 28 + part] - 128);
    const length = Math.sqrt(w * w + x * x + y * y + z * z) || 1;
    setAxes(scale * floats[at + 3], scale * floats[at + 4], scale * floats[at + 5], w / length, x / length, y / length, z / length);
    texels[at + 4] = pair(product(0, 0), -product(0, 3));  // y and z turned round change the signs of xy and xz
    texels[at + 5] = pair(-product(0, 6), product(3, 3));
    texels[at + 6] = pair(product(3, 6), product(6, 6));
  }
  return { count, rows, texels, places, scale: scale * scale };
}

// Which splats come in which turn: by their depth along a direction (from the camera forward), the farthest first.
function order(places, [x, y, z]) {
  const count = places.length / 3;
  const depths = new Float32Array(count);
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < count; i++) {
    const depth = places[3 * i] * x + places[3 * i + 1] * y + places[3 * i + 2] * z;
    depths[i] = depth;
    if (depth < low) low = depth;
    if (depth > high) high = depth;
  }
  const key = (KEYS - 1) / Math.max(high - low, 1e-20);
  const keys = new Uint16Array(count);
  const starts = new Uint32Array(KEYS + 1);
  for (let i = 0; i < count; i++) {
    keys[i] = (high - depths[i]) * key;
    starts[keys[i] + 1]++;
  }
  for (let k = 0; k < KEYS; k++) starts[k + 1] += starts[k];
  const found = new Uint32Array(count);
  for (let i = 0; i < count; i++) found[starts[keys[i]]++] = i;
  return found;
}

let places = new Float32Array(0);

// {file: its bytes} is answered by what packed() gives; {direction} by {turn: splats}.
addEventListener("message", ({ data }) => {
  if (data.file) {
    const made = packed(data.file);
    places = made.places.slice();
    postMessage(made, [made.texels.buffer, made.places.buffer]);
  }
  if (data.direction) {
    const turn = order(places, data.direction);
    postMessage({ turn }, [turn.buffer]);
  }
});
