// The column beside the stage: status, pictures, downloads, facts.
import { bytes, factsOf, statusOf } from "./words.js";
import { isFinal } from "./live.js";

const byId = (id) => document.getElementById(id);

// The list is the same from the first second on, so that nothing moves when files come.
const LOADS = [
  ["grid", "Instant mesh, textured", "GLB"], ["mesh_ply", "Mesh, coloured", "PLY"], ["mesh_obj", "Mesh with texture", "OBJ, ZIP"], ["mesh_stl", "For printing", "STL"],
  ["points", "Point cloud", "PLY"], ["depth_npy", "Depth, numbers", "NPY"], ["depth_png", "Depth, 16 bit", "PNG"], ["mask", "Mask", "PNG"],
  ["preview", "Preview", "PNG"], ["report", "Report", "JSON"],
];

export const artefact = (job, kind) => job.artefacts.find((one) => one.kind === kind);

export function showStatus(job) {
  const text = statusOf(job);
  const status = byId("status");
  if (status.textContent !== text) status.textContent = text;
  status.classList.toggle("bad", job.state === "failed");
  byId("job").dataset.state = job.state;
  byId("bar").value = job.state === "done" ? 1 : job.progress ?? 0;
  const cancel = byId("cancel");
  if (!cancel) return;
  const ended = isFinal(job);
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
    const picture = button.querySelector("img");
    button.classList.toggle("none", !found && isFinal(job));
    if (!found || picture.getAttribute("src") === found.url) continue;
    picture.src = found.url;
    picture.alt = "";
    picture.hidden = false;
    button.disabled = false;
  }
}

function element(kind, text, className = "") {
  return Object.assign(document.createElement(kind), { textContent: text, className });
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
  const ended = isFinal(job);
  const state = job.artefacts.map((one) => one.url).join() + ended;
  if (state === listed) return;  // whoever reads the list, or has a link in focus, keeps it
  listed = state;
  byId("downloads").replaceChildren(...LOADS.map(([kind, label, format]) => downloadRow(artefact(job, kind), label, format, ended)));
  const main = artefact(job, "mesh") ?? artefact(job, "grid");
  if (main) enable(byId("download-main"), main.url, main.download);
  if (main) enable(byId("download-zip"), job.links.zip);
}

export function showFacts(job) {
  byId("facts").replaceChildren(...factsOf(job).flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  byId("warnings").replaceChildren(...(job.facts?.warnings ?? []).map((text) => element("li", text)));
}
