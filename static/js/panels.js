// The column beside the stage: status, pictures, downloads, facts.
import { bytes, centimetres, factsOf, statusOf } from "./words.js";
import { isFinal, isReady } from "./live.js";

const byId = (id) => document.getElementById(id);

// The list is the same from the first second on, so that nothing moves when files come.
const LOADS = [
  ["grid", "Instant mesh, textured", "GLB"], ["mesh_ply", "Mesh, coloured", "PLY"], ["mesh_obj", "Mesh with texture", "OBJ, ZIP"], ["mesh_stl", "For printing", "STL"],
  ["smooth", "Smooth mesh, textured", "GLB"], ["smooth_ply", "Smooth mesh, coloured", "PLY"],
  ["splats_ply", "Gaussian splats", "PLY"], ["splats_spz", "Gaussian splats, small", "SPZ"],
  ["points", "Point cloud", "PLY"], ["depth_npy", "Depth, numbers", "NPY"], ["depth_png", "Depth, 16 bit", "PNG"], ["mask", "Mask", "PNG"],
  ["film", "Film", "MP4"], ["preview", "Preview", "PNG"], ["report", "Report", "JSON"],
];
// Above them, as soon as a better model is asked for: it takes the first button then.
const BETTER = [
  ["refined_ply", "Better mesh, coloured", "PLY"], ["refined_obj", "Better mesh with texture", "OBJ, ZIP"], ["refined_stl", "Better, for printing", "STL"],
  ["mesh", "First mesh, textured", "GLB"],
];

const THUMBS = { photo: "photo_thumb", depth_view: "depth_thumb", mask: "mask_thumb" };

export const artefact = (job, kind) => job.artefacts.find((one) => one.kind === kind);

export const bestModel = (job) => artefact(job, "refined") ?? artefact(job, "mesh") ?? artefact(job, "grid");

export function showStatus(job) {
  const text = statusOf(job);
  const status = byId("status");
  if (status.textContent !== text) status.textContent = text;
  status.classList.toggle("bad", job.state === "failed");
  const ended = isReady(job);
  const state = ended && !isFinal(job) ? "done" : job.state;
  byId("job").dataset.state = state;
  byId("bar").value = state === "done" ? 1 : job.progress ?? 0;
  const cancel = byId("cancel");
  if (!cancel) return;
  cancel.hidden = ended;
  cancel.disabled = ended || job.cancel_requested;
  byId("retry").hidden = !(job.state === "failed" || job.state === "cancelled") || job.error?.code === "gone";
}

export function showSilence() {
  byId("status").textContent = "The server does not answer; it is asked again every two seconds.";
  byId("status").classList.add("bad");
}

export function showPictures(job) {
  for (const button of byId("pictures").children) {
    const found = artefact(job, button.dataset.kind);
    const small = artefact(job, THUMBS[button.dataset.kind]) ?? (isReady(job) ? found : null);  // jobs before there were thumbnails
    const picture = button.querySelector("img");
    button.classList.toggle("none", !found && isReady(job));
    if (!found || !small || picture.getAttribute("src") === small.url) continue;
    button.dataset.full = found.url;
    picture.src = small.url;
    picture.alt = "";
    picture.hidden = false;
    button.disabled = false;
  }
}

function element(kind, text, className = "") {
  return Object.assign(document.createElement(kind), { textContent: text, className });
}

// How large it is when it is printed, where that is known.
function sizeOf(job, kind) {
  const sides = kind === "mesh_stl" ? job.facts?.print_mm : kind === "refined_stl" ? job.refinement?.print_mm : null;
  return sides ? ` · ${centimetres(sides)}` : "";
}

function downloadRow(found, label, format, ended) {
  const link = element("a", label);
  if (found) Object.assign(link, { href: found.url, download: found.download });
  link.append(element("span", found ? `${format} · ${bytes(found.bytes)}` : ended ? "none" : format, "muted small"));
  const row = document.createElement("li");
  row.append(link);
  return row;
}

function enable(link, url, name) {
  if (!url) return;
  link.href = url;
  if (name) link.download = name;
  link.removeAttribute("aria-disabled");
}

let listed = "";

export function showDownloads(job) {
  const ended = isReady(job);
  const to = job.refinement;  // what a better model is to come of, or has come of
  const better = Boolean(to) && !["cancelled", "failed"].includes(to.state) && !to.kept_first || Boolean(artefact(job, "refined"));
  const state = better + job.artefacts.map((one) => one.url).join() + ended + job.facts?.print_mm + to?.print_mm;
  if (state === listed) return;  // whoever reads the list, or has a link in focus, keeps it
  listed = state;
  const smoothItself = (job.facts?.surface ?? job.params.surface) === "poisson";  // then there is none beside it
  const rows = LOADS.filter(([kind]) => !(smoothItself && kind.startsWith("smooth")));
  byId("downloads").replaceChildren(...[...(better ? BETTER : []), ...rows].map(([kind, label, format]) => {
    const settled = kind === "film" ? ended && job.lane !== "film" : BETTER.some(([one]) => one === kind) ? isFinal(job) : ended;
    return downloadRow(artefact(job, kind), better ? label.replace(/^Mesh/, "First mesh") : label, format + sizeOf(job, kind), settled);
  }));
  const main = bestModel(job);
  if (main) enable(byId("download-main"), main.url, main.download);
  if (main) enable(byId("download-zip"), job.links.zip);
}

let known = "";

export function showFacts(job) {
  const state = JSON.stringify([job.facts, job.expires_at]);
  if (state === known) return;  // what is marked to be copied stays marked
  known = state;
  byId("facts").replaceChildren(...factsOf(job).flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  byId("warnings").replaceChildren(...(job.facts?.warnings ?? []).map((text) => element("li", text)));
}
