// From where a model is seen whole.
import { Vector3 } from "../three.js";

// At most this many points stand for a model.
const SAMPLE = 1500;
const OUTSIDE = 0.002;  // this share of them may be cut off: a stray point must not make the rest small

// Some of the positions of a BufferAttribute.
export function sampleOf(position) {
  const step = Math.max(1, Math.floor(position.count / SAMPLE));
  const found = [];
  for (let index = 0; index < position.count; index += step) found.push(new Vector3().fromBufferAttribute(position, index));
  return found;
}

// The middle one of their depths, seen from the photo's camera: what one turns around.
export function medianDepth(sample) {
  const depths = sample.map((point) => -point.z).sort((a, b) => a - b);
  return depths[depths.length >> 1] || 1;
}

// The smallest of the numbers but for the few that may be cut off, and the largest.
function ends(numbers) {
  const sorted = numbers.sort((a, b) => a - b);
  const few = Math.floor(sorted.length * OUTSIDE);
  return [sorted[few], sorted.at(-1 - few)];
}

// Where a camera that looks against `direction` (a unit vector) sees the sample whole and in the middle: the distance from
// its target, and the target's offset from `about`. tanX, tanY: of its half angles. A point at (x, z) of the view plane and
// the direction is seen if |x − offset| ≤ tan · (distance − z); the two points that bind give offset and distance.
export function whereSeenWhole(sample, about, direction, tanX, tanY) {
  const right = new Vector3(0, 1, 0).cross(direction).normalize();
  const up = direction.clone().cross(right);
  const offset = new Vector3();
  let distance = 0;
  for (const [axis, tan] of [[right, tanX], [up, tanY]]) {
    const seen = sample.map((point) => point.clone().sub(about)).map((from) => [from.dot(axis), tan * from.dot(direction)]);
    const low = ends(seen.map(([x, z]) => x - z))[0];
    const high = ends(seen.map(([x, z]) => x + z))[1];
    offset.addScaledVector(axis, (low + high) / 2);
    distance = Math.max(distance, (high - low) / (2 * tan));
  }
  return { offset, distance };
}

// The middle of a model, and how far it reaches from there but for stray points: what a closed one turns around.
export function ballAround(sample) {
  const [x, y, z] = ["x", "y", "z"].map((axis) => ends(sample.map((point) => point[axis])));
  const middle = new Vector3(x[0] + x[1], y[0] + y[1], z[0] + z[1]).multiplyScalar(0.5);
  return { middle, radius: ends(sample.map((point) => point.distanceTo(middle)))[1] };
}
