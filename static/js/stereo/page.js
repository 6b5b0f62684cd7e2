// The page of a 3D picture, or of a film: a preview at once, and what is made of it.
import { listenForActions } from "../actions.js";
import { call, freshKey } from "../api.js";
import { isFinal, Live } from "../live.js";
import { artefact, showSilence, showStatus } from "../panels.js";
import { tellProblem } from "../say.js";
import { asRadioGroup } from "../viewer/keys.js";
import { number, seconds } from "../words.js";
import { fileRow, filesOf, StereoFiles } from "./files.js";
import { StereoPreview } from "./preview.js";

const byId = (id) => document.getElementById(id);
const page = byId("job");
const own = !("shared" in page.dataset);
let job = JSON.parse(page.dataset.job);
const film = job.kind === "film";
const preview = new StereoPreview();
let frame = 1;
let known = "";

const viewsOf = () => (film ? [`frame${frame}_view`, `near${frame}_view`] : ["stereo_view", "nearness_view"]).map((kind) => artefact(job, kind));

async function showPreview() {
  const [picture, nearness] = viewsOf();
  if (!picture || !nearness) {
    if (isFinal(job)) byId("waiting-text").textContent = "There is nothing to show";
    return;
  }
  await preview.load(picture.url, nearness.url, job.facts?.stereo);
  byId("waiting").hidden = true;
  if (preview.mode === "off") preview.show("anaglyph");
}

const markFrame = film ? asRadioGroup(byId("frames"), (which) => { frame = Number(which); markFrame(which); showPreview(); }) : null;
markFrame?.("1");

function rowsOf({ facts, expires_at: end, photo }) {
  const told = facts ?? {};
  const rows = film
    ? [["Frames", told.frames && `about ${number(told.frames)}, ${told.rate.toFixed(2)} per second`], ["Length", told.film_seconds ? seconds(told.film_seconds) : "not told"], ["Sound", told.sounds == null ? "" : `${told.sounds} ${told.sounds === 1 ? "track" : "tracks"}`]]
    : [["Depth by", told.depth_model === "builtin" ? "built-in network" : told.depth_model], ["Strength", told.strength_percent == null ? "" : `${told.strength_percent} %`]];
  const size = photo && `${photo.width} × ${photo.height}`;
  return [["Size", size], ...rows, ["Kept until", new Date(end).toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit" })]];
}

function showFacts() {
  const notes = [...(job.facts?.warnings ?? []), ...(job.conversion?.notes ?? [])];
  const state = JSON.stringify([rowsOf(job), notes]);
  if (state === known) return;
  known = state;
  const element = (kind, text) => Object.assign(document.createElement(kind), { textContent: text });
  byId("facts").replaceChildren(...rowsOf(job).flatMap(([name, value]) => [element("dt", name), element("dd", value || "–")]));
  byId("warnings").replaceChildren(...notes.map((text) => element("li", text)));
}

let listed = "";
function showFilms() {
  const files = filesOf(job);
  const state = files.map((one) => one.url).join();
  if (state === listed) return;
  listed = state;
  byId("stereo-files").replaceChildren(...files.map((file) => fileRow(file, file.download)));
}

function update(next) {
  job = next;
  showStatus(job);
  showFacts();
  if (film || !own) showFilms();
  if (film && own) byId("stereo-start").disabled = job.state !== "done";
  if (film) for (const button of byId("frames").children) button.disabled = !artefact(job, `near${button.dataset.mode}_view`);
  showPreview().catch((error) => console.warn(error));
  if (!film && own && isFinal(job)) files.list(job);
}

async function convert() {
  const { strength, screen, comfort } = preview.chosen();
  const wish = preview.touched ? { strength, screen } : {};
  byId("stereo-start").disabled = true;
  try {
    again(await call("POST", job.links.convert, { ...wish, layout: byId("stereo-layout").value, limit: comfort ? "on" : "off" }, { "Idempotency-Key": freshKey() }));
  } catch (problem) {
    byId("stereo-start").disabled = false;
    tellProblem(problem);
  }
}

const live = new Live(job, update, showSilence);
const again = (next) => { live.job = next; update(next); live.start(); };
const files = !film && own ? new StereoFiles(() => job, preview) : null;
if (own) {
  listenForActions({ job: () => job, update: (next) => live.take(next), again, leave: () => live.stop() });
  if (film) byId("stereo-make").addEventListener("submit", (event) => { event.preventDefault(); convert(); });
}
update(job);
live.start();
