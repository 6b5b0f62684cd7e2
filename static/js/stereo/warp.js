// Both eyes' views of a picture and its nearness, for a preview: recon/stereo in a script, at a picture's small size.
// Disparity is x_left − x_right in pixels, positive in front of the screen. Nearness: 0 far, 255 near.

const BEHIND = 0.015;
const FRONT = 0.01;
const KNEE = 0.8;
const WINDOW = 0.04;
const STEP = 1;
const EMPTY = -1e9;

// Bent softly towards its limit beyond 0.8 of it; `edge` (0 at the border, 1 inside) draws back what stands in front.
function limited(d, width, edge) {
  const limit = (d > 0 ? FRONT : BEHIND) * width;
  const over = (Math.abs(d) - KNEE * limit) / ((1 - KNEE) * limit);
  const bent = over > 0 ? Math.sign(d) * limit * (KNEE + (1 - KNEE) * Math.tanh(over)) : d;
  return bent > 0 ? bent * edge : bent;
}

// { d, behind, front }: the disparity, and its range in percent of the width. strength: percent; screen: a nearness from 0 to 1.
export function disparityOf({ near, width, height }, { strength, screen, comfort }) {
  const d = new Float32Array(width * height);
  const scale = (strength / 100) * width;
  let [behind, front] = [Infinity, -Infinity];
  for (let x = 0; x < width; x++) {
    const inside = Math.min(1, Math.min(x + 0.5, width - x - 0.5) / (WINDOW * width));
    const edge = inside * inside * (3 - 2 * inside);
    for (let i = x; i < d.length; i += width) {
      const plain = scale * (near[i] / 255 - screen);
      const value = comfort ? limited(plain, width, edge) : plain;
      d[i] = value;
      if (value < behind) behind = value;
      if (value > front) front = value;
    }
  }
  return { d, behind: (100 * behind) / width, front: (100 * front) / width };
}

// Where in its row each pixel of a view comes from. part: of the disparity, by which the eye stands right (+) or left (−) of
// the picture. What is nearer hides what is farther: it is written last.
function sourcesOf(d, row, width, part, landed, source) {
  landed.fill(EMPTY);
  const right = part > 0;
  for (let i = 0; i < width; i++) {
    const x = right ? i : width - 1 - i;
    const shift = part * d[row + x];
    const target = Math.round(x - shift);
    if (target >= 0 && target < width) landed[target] = shift;
  }
  for (let x = 0; x < width; x++) {
    if (landed[x] !== EMPTY) {
      source[x] = x + landed[x];
      continue;
    }
    let end = x;
    while (end < width && landed[end] === EMPTY) end += 1;
    const before = x > 0 ? landed[x - 1] : null;
    const after = end < width ? landed[end] : null;
    if (before !== null && after !== null && end === x + 1 && Math.abs(before - after) <= STEP) {
      source[x] = x + (before + after) / 2;  // a crack in a surface that is stretched
      continue;
    }
    // Filled from the side that is farther away; beyond the picture's border its shift goes on.
    const farther = before === null ? after : after === null ? before : right ? Math.min(before, after) : Math.max(before, after);
    const from = farther === null ? 0 : farther === before ? x - 1 + before : end + after;
    const border = before === null || after === null;
    for (let k = x; k < end; k++) source[k] = border ? k + (farther ?? 0) : from;
    x = end - 1;
  }
}

const mirrored = (x, last) => (x < 0 ? Math.min(-x, last) : x > last ? Math.max(2 * last - x, 0) : x);

function sampled(rgba, row, width, source, out) {
  const last = width - 1;
  for (let x = 0; x < width; x++) {
    const place = mirrored(source[x], last);
    const left = Math.floor(place);
    const share = place - left;
    const a = 4 * (row + left);
    const b = 4 * (row + Math.min(left + 1, last));
    for (let c = 0; c < 3; c++) out[3 * x + c] = rgba[a + c] + share * (rgba[b + c] - rgba[a + c]);
  }
}

// Calls take(y, …views) for each row, a view being R, G, B of every pixel: of the eyes at these parts of the disparity.
export function eachRow({ rgba, width, height }, d, parts, take) {
  const landed = new Float32Array(width);
  const source = new Float32Array(width);
  const views = parts.map(() => new Float32Array(3 * width));
  for (let y = 0; y < height; y++) {
    parts.forEach((part, i) => {
      sourcesOf(d, y * width, width, part, landed, source);
      sampled(rgba, y * width, width, source, views[i]);
    });
    take(y, ...views);
  }
}

const LINEAR = Float32Array.from({ length: 256 }, (_, v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
const SRGB = Uint8Array.from({ length: 4096 }, (_, i) => Math.round(255 * (i / 4095 <= 0.0031308 ? (12.92 * i) / 4095 : 1.055 * (i / 4095) ** (1 / 2.4) - 0.055)));
// E. Dubois, 2009: rows R, G, B of the result; columns R, G, B of the left, then of the right eye's picture.
const DUBOIS = [[0.437, 0.449, 0.164, -0.011, -0.032, -0.007], [-0.062, -0.062, -0.024, 0.377, 0.761, 0.009], [-0.048, -0.05, -0.017, -0.026, -0.093, 1.234]];

export function anaglyphRow(left, right, out, row, width) {
  for (let x = 0; x < width; x++) {
    const i = 3 * x;
    const seen = [left[i], left[i + 1], left[i + 2], right[i], right[i + 1], right[i + 2]];
    for (let k = 0; k < 6; k++) seen[k] = LINEAR[Math.round(seen[k])];
    for (let c = 0; c < 3; c++) {
      const m = DUBOIS[c];
      const light = m[0] * seen[0] + m[1] * seen[1] + m[2] * seen[2] + m[3] * seen[3] + m[4] * seen[4] + m[5] * seen[5];
      out[4 * (row + x) + c] = SRGB[Math.max(0, Math.min(4095, Math.round(4095 * light)))];
    }
    out[4 * (row + x) + 3] = 255;
  }
}
