// Files of a photo's 3D picture: each press makes a job of its own from the stored photo, and its files come into a list.
import { call, freshKey } from "../api.js";
import { Live, isFinal } from "../live.js";
import { say, tellProblem } from "../say.js";
import { bytes } from "../words.js";

const byId = (id) => document.getElementById(id);

// Its files for people: not what a page previews it with.
export const filesOf = (job) => job.artefacts.filter((one) => one.kind.startsWith("stereo_") && one.kind !== "stereo_view");

export function fileRow(file, words) {
  const row = document.createElement("li");
  const link = Object.assign(document.createElement("a"), { href: file.url, download: file.download });
  const size = Object.assign(document.createElement("span"), { className: "muted small", textContent: `${file.format.toUpperCase()} · ${bytes(file.bytes)}` });
  link.append(words, size);
  row.append(link);
  return row;
}

function nameOf(kind) {
  const layout = kind.slice("stereo_".length);
  const option = [...byId("stereo-layout").options].find((one) => one.value === layout);
  return option?.text ?? { left: "Left eye", right: "Right eye" }[layout] ?? layout;
}

export class StereoFiles {
  // `job()`: the one whose photo it is.
  constructor(job, preview) {
    Object.assign(this, { job, preview, listed: new Set() });
    byId("stereo-start").disabled = false;
    byId("stereo-make").addEventListener("submit", (event) => { event.preventDefault(); this.make(); });
    call("GET", job().links.results).then(({ jobs }) => jobs.filter((one) => one.kind === "stereo" && isFinal(one)).forEach((one) => this.list(one))).catch(() => {});
  }

  list(job) {
    const strength = job.facts?.strength_percent;
    for (const file of filesOf(job)) {
      if (this.listed.has(file.url)) continue;
      this.listed.add(file.url);
      byId("stereo-files").prepend(fileRow(file, `${nameOf(file.kind)}${strength == null ? "" : `, ${strength.toFixed(1)} %`}`));
    }
  }

  async make() {
    const start = byId("stereo-start");
    start.disabled = true;
    const chosen = this.preview.chosen();
    const wish = this.preview.touched ? { strength: chosen.strength, screen: chosen.screen } : { strength: "", screen: "" };
    try {
      const made = await call("POST", this.job().links.again, {
        kind: "stereo", layout: byId("stereo-layout").value, limit: chosen.comfort ? "on" : "off", ...wish,
      }, { "Idempotency-Key": freshKey() });
      const live = new Live(made, (now) => {
        if (!isFinal(now)) return;
        start.disabled = false;
        if (now.state === "done") this.list(now);
        else tellProblem(new Error(now.error?.message ?? "The 3D picture was not made."));
      }, () => {});
      live.start();
      say("The 3D picture is being made; its file comes into the list.");
    } catch (problem) {
      start.disabled = false;
      tellProblem(problem);
    }
  }
}
