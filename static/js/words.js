// What the page says about a job, in words a person uses.

export const STAGES = [
  ["read", "Reading the photo"], ["model", "Waking the network"], ["subject", "Finding the subject"], ["depth", "Estimating depth"],
  ["grid", "Making the instant mesh"], ["points", "Placing points"], ["mesh", "Making the final mesh"], ["files", "Writing the files"], ["splats", "Making the splats"], ["smooth", "Making the smooth mesh"],
  ["preview", "Drawing a preview"], ["film", "Drawing the film"],
  ["frames", "Looking at the film"], ["look", "Estimating depth"], ["pair", "Making both views"], ["layouts", "Writing the files"],
  ["looks", "Looking at it once more"], ["target", "Setting up the whole shape"],
  ["fine", "Working out the surface"], ["texture", "Painting it"],
];

export function seconds(value) {
  if (value < 10) return `${Math.max(0.1, value).toFixed(1)} s`;
  if (value < 90) return `${Math.round(value)} s`;
  return `${Math.round(value / 60)} min`;
}

export function bytes(count) {
  if (count < 1000) return `${count} B`;
  if (count < 1e6) return `${Math.round(count / 1e3)} kB`;
  return `${(count / 1e6).toFixed(1)} MB`;
}

// Width, depth and height in millimetres, as one reads them off a ruler.
export const centimetres = (sides) => `${sides.map((side) => (side / 10).toFixed(1)).join(" × ")} cm`;

export const number = (value) => new Intl.NumberFormat("en").format(value);

function took(job) {
  if (!job.started_at || !job.finished_at || job.refinement) return "";
  const worked = Object.values(job.facts?.seconds ?? {}).reduce((sum, one) => sum + one, 0);  // without the film, which comes later
  const value = job.lane === "film" && worked ? worked : (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000;
  return value >= 1 ? ` in ${seconds(value)}` : " in about a second";
}

export function statusOf(job) {
  if (job.lane === "refine" && job.state === "running") return "Ready";
  if (job.lane === "film" && ["queued", "running"].includes(job.state)) return "Ready; a film is on its way";
  if (job.cancel_requested && job.state === "running") return "Stopping";
  if (job.state === "queued") return job.queue_position > 0 ? `Waiting: ${job.queue_position} before this one` : "Waiting for its turn";
  if (job.kind === "film" && job.state !== "failed" && job.state !== "cancelled" && (job.conversion || job.state === "done")) return filmStatus(job.conversion, job);
  if (job.state === "done") return `Ready${took(job)}`;
  if (job.state === "cancelled") return "Stopped. What was made so far is here.";
  if (job.state === "failed") return job.error?.message ?? "This did not work.";
  const doing = STAGES.find(([name]) => name === job.stage)?.[1] ?? "Working";
  return job.eta_s == null ? doing : `${doing}, about ${seconds(job.eta_s)} left`;
}

function filmStatus(conversion, job) {
  if (!conversion) return "Looked at: choose how strong it is to be, then make the film";
  if (conversion.state === "done") return `The 3D film is ready, made in ${seconds(conversion.seconds)}`;
  if (conversion.state === "failed" || conversion.state === "cancelled") return conversion.error?.message ?? "It was stopped.";
  if (conversion.state === "waiting") return job.queue_position > 0 ? `Waiting: ${job.queue_position} before this one` : "Waiting for its turn";
  const frames = `Frame ${number(conversion.frames)}${conversion.all ? ` of ${number(Math.max(conversion.all, conversion.frames))}` : ""}`;
  return conversion.seconds_left == null ? frames : `${frames}, about ${seconds(conversion.seconds_left)} left`;
}

// What is done for the better model.
export function betterDoing(job) {
  const { state, stage } = job.refinement;
  if (job.cancel_requested) return "Stopping";
  if (state === "planned") return job.lane === "film" ? "Comes after the film" : "Comes after the first model";
  if (state === "waiting") return "Waiting for its turn";
  return STAGES.find(([name]) => name === stage)?.[1] ?? "Beginning";
}

export function betterSteps(job) {
  const { state, step, steps, seconds_left: left } = job.refinement;
  if (state === "waiting") return job.queue_position > 0 ? `${job.queue_position} before this one` : "";
  if (state !== "running") return "";
  const minutes = left == null ? "" : left < 60 ? "less than a minute left" : `about ${Math.round(left / 60)} min left`;
  return [steps > 1 && `${number(step)} of ${number(steps)}`, minutes].filter(Boolean).join(" · ");
}

// What became of it; `possible`: the photo has a subject.
export function betterTold(job, possible) {
  const state = job.refinement?.state;
  const stays = job.artefacts.some((one) => one.kind === "refined") ? "The one from before is still here." : "The first model is as it was.";
  const worse = job.refinement?.kept_first;
  if (state === "done" && worse) return `The new model is no better than the first one: ${worse.join("; ")}. ${stays}`;
  if (state === "done") return `Made in ${seconds(job.refinement.seconds)}: ${number(job.refinement.faces)} triangles, closed all round.`;
  if (state === "cancelled" && possible) return `Stopped. ${stays}`;
  if (state === "failed" && possible) return `${job.refinement.error.message} ${stays}`;
  if (!possible) return "The photo shows a scene, not one thing with a back to shape. If there is one, another choice under “Cut out” may find it.";
  return "";
}

const metric = (facts) => facts?.unit === "metre";

// A length on the model, with only as much certainty as there is.
export function length(value, facts) {
  if (metric(facts)) {
    return value < 1 ? `${(value * 100).toFixed(1)} cm (estimated)` : `${value.toFixed(2)} m (estimated)`;
  }
  return `${value.toFixed(3)} × median depth`;
}

export function whatLengthsMean(facts) {
  if (metric(facts)) return "Estimated from one photo: good for proportions, not for carpentry";
  return "One photo does not tell the true size: 1 is the median depth of the scene";
}

const SOURCES = { default: "assumed", exif: "from the photo’s EXIF", user: "as you said", model: "estimated" };

export const SURFACES = { layered: "Layered", solid: "Solid", grid: "Sharp", poisson: "Smooth" };

// The surface, and who chose it.
function surfaceOf({ surface, surface_source: source, subject, object_model: model }) {
  if (!surface) return "";
  const made = model && model !== "solid" ? `${SURFACES[surface]}, by ${model}` : SURFACES[surface];
  if (source !== "auto") return made;
  return `${made}, as ${subject === "none" ? "it is a scene" : "it is one thing"}`;
}

const SUBJECTS = { none: "the whole photo", alpha: "cut out: the photo’s transparency", builtin: "cut out by the network", grabcut: "cut out of a plain background" };

// Always the same rows: what is not known yet is a dash, so that nothing moves.
export function factsOf(job) {
  const facts = job.facts ?? {};
  const rows = [
    ["Photo", `${job.photo.width} × ${job.photo.height}`],
    ["Subject", facts.subject && (SUBJECTS[facts.subject] ?? facts.subject)],
    ["Surface", surfaceOf(facts)],
    ["Depth by", facts.depth_model === "builtin" ? "built-in network" : facts.depth_model],
    ["Field of view", facts.fov_x_deg && `${facts.fov_x_deg.toFixed(0)}°, ${SOURCES[facts.fov_source] ?? facts.fov_source}`],
    ["Points", facts.points && number(facts.points)],
    ["Triangles", facts.faces && number(facts.faces)],
    ["Lengths", facts.unit && (metric(facts) ? "metres, estimated" : "median depth = 1")],
    ["Kept until", new Date(job.expires_at).toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit" })],
  ];
  return rows.map(([name, value]) => [name, value || "–"]);
}
