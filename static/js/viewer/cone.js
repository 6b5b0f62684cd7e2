// How far a scene may be turned from the photo's view: up to the cone, and slower and slower before it.
const SOFT = 0.6;  // from this share of the cone on it slows down

// What a turn from one angle to another comes to (radians). Towards the photo it is free. Outwards its speed falls linearly to
// 0 at the cone, da/ds = (cone − a) / (cone − soft), so that one large turn goes as far as the small ones it is made of.
export function slowed(before, after, cone) {
  const soft = SOFT * cone;
  const from = Math.max(before, soft);
  if (after <= from) return after;
  if (from >= cone) return before;
  return cone - (cone - from) * Math.exp((from - after) / (cone - soft));
}
