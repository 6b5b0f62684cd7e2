// A scene as it opens: from the photo's own view the camera goes slowly round a small ellipse, so that depth is seen without
// a tear, until somebody touches it.
import { Vector3 } from "../three.js";

const ROUND = 11000;  // milliseconds
const ROUNDS = 6;  // then it rests at the photo's view
const BEGIN = 2500;  // milliseconds from rest to the whole ellipse, and back at the end
const ASIDE = Math.PI / 18;  // radians
const FLAT = 0.4;  // the ellipse's height in parts of its half width
const NEARER = 0.06;  // so much nearer at its farthest, so that less is seen beyond the photo's border

export function swing(stage) {
  const aside = Math.min(ASIDE, (stage.cone ?? Math.PI) / 3);
  let last = null;
  let time = 0;  // of what was seen: a hidden page draws nothing
  stage.move((now) => {
    time += last === null ? 0 : Math.min(100, now - last);
    last = now;
    const turn = (2 * Math.PI * time) / ROUND;
    const share = Math.max(0, Math.min(1, time / BEGIN, (ROUNDS * ROUND - time) / BEGIN));
    const grown = share * share * (3 - 2 * share);
    const [right, up] = [grown * Math.sin(turn), grown * FLAT * (1 - Math.cos(turn)) / 2];
    const target = stage.ahead();
    const distance = target.length() * (1 - NEARER * (right * right + up * up));
    const offset = new Vector3().setFromSphericalCoords(distance, Math.PI / 2 - aside * up, aside * right);
    stage.place(offset.add(target), target);
    return time < ROUNDS * ROUND;
  });
}
