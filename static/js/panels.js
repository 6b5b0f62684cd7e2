// The column beside the stage: status, pictures, downloads, facts.
import { bytes, factsOf, STAGES, statusOf } from "./words.js";
import { isFinal } from "./live.js";

const byId = (id) => document.getElementById(id);

const LOADS = [
  ["mesh", "Mesh, textured", "GLB"], ["grid", "Instant mesh, textured", "GLB"], ["mesh_ply", "Mesh, coloured", "PLY"], ["mesh_obj", "Mesh with texture", "OBJ, ZIP"],
  ["mesh_stl", "For printing", "STL"], ["points", "Point cloud", "PLY"], ["depth_npy", "Depth, numbers", "NPY"], ["depth_png", "Depth, 16 bit", "PNG"],
  ["mask", "Mask", "PNG"], ["preview", "Preview", "PNG"], ["turntable", "Turntable", "MP4"], ["report", "Report", "JSON"],
];

export const artefact = (job, kind) => job.artefacts.find((one) => one.kind === kind);

function showStages(job) {
  const list = byId("stages");
  if (!list.childElementCount) list.append(...STAGES.map(([name]) => Object.assign(document.createElement("li"), { title: name })));
  const now = STAGES.findIndex(([name]) => name === job.stage);
  [...list.children].forEach((item, index) => {
    item.className = job.state === "done" || index < now ? "past" : index === now && job.state === "running" ? "now" : "";
  });
}

export function showStatus(job) {
  const text = statusOf(job);
  const status = byId("status");
  if (status.textContent !== text) status.textContent = text;
  status.classList.toggle("bad", job.state === "failed");
  byId("job").dataset.state = job.state;
  byId("bar").value = job.state === "done" ? 1 : job.progress ?? 0;
  showStages(job);
  const cancel = byId("cancel");
  if (!cancel) return;
  const ended = isFinal(job);
  cancel.hidden = ended;
  cancel.disabled = ended || job.cancel_requested;
  byId("retry").hidden = !(job.state === "failed" || job.state === "cancelled") || job.error?.code === "gone";
}

export function showPictures(job) {
  for (const button of byId("pictures").children) {
    const found = artefact(job, button.dataset.kind);
    const picture = button.querySelector("img");
    if (!found && isFinal(job) && button.dataset.kind === "mask") button.lastElementChild.textContent = "No mask";
    if (!found || picture.getAttribute("src") === found.url) continue;
    picture.src = found.url;
    picture.alt = "";
    picture.hidden = false;
    button.disabled = false;
  }
}

function downloadRow(found, label, format) {
  const link = Object.assign(document.createElement("a"), { href: found.url, download: found.download });
  const size = Object.assign(document.createElement("span"), { className: "muted small", textContent: `${format} · ${bytes(found.bytes)}` });
  link.append(label, size);
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

export function showDownloads(job) {
  const rows = [];
  for (const [kind, label, format] of LOADS) {
    const found = artefact(job, kind);
    if (found) rows.push(downloadRow(found, label, format));
  }
  const list = byId("downloads");
  if (list.childElementCount !== rows.length || isFinal(job)) list.replaceChildren(...rows);
  const main = artefact(job, "mesh") ?? artefact(job, "grid");
  if (main) enable(byId("download-main"), main.url, main.download);
  if (rows.length) enable(byId("download-zip"), job.links.zip);
}

export function showFacts(job) {
  const list = byId("facts");
  list.replaceChildren(...factsOf(job).flatMap(([name, value]) => [
    Object.assign(document.createElement("dt"), { textContent: name }),
    Object.assign(document.createElement("dd"), { textContent: value }),
  ]));
  byId("warnings").replaceChildren(...(job.facts?.warnings ?? []).map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}
