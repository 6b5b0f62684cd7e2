// The better model: offered, on its way, there.
import { drawCurve } from "./curve.js";
import { artefact } from "./panels.js";
import { asRadioGroup } from "./viewer/keys.js";
import { betterDoing, betterSteps, betterTold } from "./words.js";

const byId = (id) => document.getElementById(id);
const UNDER_WAY = new Set(["planned", "waiting", "running"]);

// What is told stays if it is the same: who reads it aloud is not told twice.
function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
}

// The keyboard's place goes from a part that disappears to the one that takes over.
function swap(out, come, heir) {
  const had = out.contains(document.activeElement);
  out.hidden = true;
  if (come) come.hidden = false;
  if (had) heir?.focus();
}

export class Better {
  // onShown("first", "better" or "both"): which model the person wants to see.
  constructor(onShown) {
    this.mark = asRadioGroup(byId("better-shown"), onShown);
    this.offer = byId("better-offer");
    this.drawn = "";
  }

  show(job) {
    const state = job.refinement?.state ?? "none";
    const underWay = UNDER_WAY.has(state);
    const possible = job.facts?.subject !== "none";
    byId("better").dataset.state = state;
    const lost = job.state === "failed" || job.state === "cancelled";
    byId("better").hidden = lost || (!this.offer && !job.refinement);
    if (underWay) this.showRun(job);
    if (this.offer) this.showOffer(job, underWay, possible);
    byId("better-run").hidden = !underWay;
    write(byId("better-told"), underWay ? "" : betterTold(job, possible));
    byId("better-shown").hidden = !artefact(job, "refined");
    this.showCurve(underWay || state === "done" ? job.refinement : { losses: {} });
    const notes = state === "done" ? job.refinement.notes : [];
    byId("better-notes").hidden = !notes.length;
    byId("better-notes").replaceChildren(...notes.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  }

  showOffer(job, underWay, possible) {
    const start = byId("better-start");
    const again = job.refinement?.state === "done";
    start.disabled = !((job.state === "done" || (job.lane === "film" && !job.cancel_requested)) && possible);
    byId("better-about").hidden = Boolean(job.refinement);
    if (underWay) swap(this.offer, byId("better-run"), byId("better-stop"));
    else if (!possible) this.offer.hidden = true;
    else swap(byId("better-run"), this.offer, again ? null : start);
    byId("better-preset").hidden = again;
    byId("better-label").textContent = again ? "Once more, thoroughly" : "Make it better";
    if (again) byId("better-preset").value = "full";
    if (again && job.refinement.preset === "full") this.offer.hidden = true;  // there is nothing better
  }

  showRun(job) {
    write(byId("better-status"), betterDoing(job));
    byId("better-steps").textContent = betterSteps(job);
    byId("better-bar").value = job.lane === "refine" ? job.progress : 0;
    const stop = byId("better-stop");
    if (stop) {
      stop.disabled = job.cancel_requested;
      stop.hidden = job.lane !== "refine";  // before that the job's own button stops everything
    }
    const sketch = artefact(job, "sketch") ?? artefact(job, "photo_thumb");
    const picture = byId("better-sketch");
    if (!sketch || picture.getAttribute("src") === sketch.url) return;
    picture.src = sketch.url;
    picture.alt = sketch.kind === "sketch" ? "The model as it is now" : "";
    picture.hidden = false;
  }

  showCurve(refinement) {
    const state = JSON.stringify(refinement.losses);
    if (state === this.drawn) return;
    this.drawn = state;
    byId("better-figure").hidden = !drawCurve(byId("better-curve"), refinement);
  }
}
