// The curve of a refinement: how far the model is from the photo, step by step.
import { STAGES } from "./words.js";

const WIDTH = 100;
const HEIGHT = 40;
const EDGE = 3;  // so that the line is not cut off

const short = (loss) => Number(loss.toPrecision(2)).toString();

// The losses of one stage as places: each stage has a range of its own, because each measures something else. The scale is
// logarithmic, as the last steps matter as much as the first.
function places(points, steps, from, to) {
  const heights = points.map(([, loss]) => Math.log(Math.max(loss, 1e-9)));
  const low = Math.min(...heights);
  const range = Math.max(...heights) - low || 1;
  return points.map(([step], index) => {
    const x = from + (to - from) * (step / steps);
    const y = EDGE + (HEIGHT - 2 * EDGE) * (1 - (heights[index] - low) / range);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
}

function draw(svg, kind, attributes) {
  const part = document.createElementNS(svg.namespaceURI, kind);
  for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
  return part;
}

function inWords(stages) {
  const name = (stage) => (STAGES.find(([each]) => each === stage)?.[1] ?? stage).toLowerCase();
  const told = stages.map(([stage, points]) => `${name(stage)}, ${points.at(-1)[0]} steps, from ${short(points[0][1])} to ${short(points.at(-1)[1])}`);
  return `How far the model is from the photo. ${told.join("; ")}.`;
}

// losses: stage → [[step, loss], …]; stage, steps: which one is under way, and how many it has. False if there is nothing to
// draw yet.
export function drawCurve(svg, { losses, stage, steps }) {
  const stages = Object.entries(losses).filter(([, points]) => points.length > 1);
  const parts = stages.flatMap(([name, points], index) => {
    const all = name === stage && steps ? steps : points.at(-1)[0];
    const [from, to] = [index, index + 1].map((place) => (WIDTH * place) / stages.length);
    const line = draw(svg, "polyline", { class: "line", points: places(points, all, from, to).join(" ") });
    return index ? [draw(svg, "line", { class: "border", x1: from, x2: from, y1: 0, y2: HEIGHT }), line] : [line];
  });
  svg.replaceChildren(...parts);
  svg.setAttribute("aria-label", stages.length ? inWords(stages) : "");
  return stages.length > 0;
}
