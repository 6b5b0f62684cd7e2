// One job's page: its state as it changes, and the models in the viewer as they appear.
import { listenForActions } from "./actions.js";
import { listenForAgain, listenForCompare } from "./again.js";
import { Better } from "./better.js";
import { isReady, Live } from "./live.js";
import { artefact, showDownloads, showFacts, showPictures, showSilence, showStatus } from "./panels.js";
import { listenForPictures } from "./pictures.js";
import { say } from "./say.js";
import { StereoFiles } from "./stereo/files.js";
import { StereoPreview } from "./stereo/preview.js";

const loading = import("./viewer/viewer.js");  // the largest file: asked for first
loading.catch(() => {});  // told at the end
const page = document.getElementById("job");
const waiting = document.getElementById("waiting");
const waitingText = document.getElementById("waiting-text");
const LAYERS = ["points", "smooth", "grid", "mesh", "refined"];  // each better than those before it
const shown = new Map();  // layer → the address that the viewer has
let job = JSON.parse(page.dataset.job);
let viewer = null;
let left = false;  // the person deletes the job
const opened = Boolean(artefact(job, "refined"));  // with the better model already there
let hopeless = "";  // why there will be no viewer

// The copy for looking at; the full file of a job that was made before there were copies. Until a scene's mesh is there in
// full, its instant one stands in.
const modelOf = (layer) => artefact(job, `${layer}_view`) ?? artefact(job, layer) ?? (layer === "mesh" ? artefact(job, "instant_view") : undefined);

function showWaiting() {
  const photo = artefact(job, "photo_thumb");
  const picture = document.getElementById("waiting-photo");
  if (photo && !picture.getAttribute("src")) {
    picture.src = photo.url;
    picture.hidden = false;
  }
  const come = LAYERS.some(modelOf);
  waiting.classList.toggle("ended", isReady(job) && !come);
  if (hopeless) waitingText.textContent = hopeless;
  else if (!come) waitingText.textContent = isReady(job) ? "There is no model to show" : "Waiting for the first view";
}

async function showModels() {
  if (!viewer) return;
  viewer.describe(job);
  let best = null;
  for (const layer of LAYERS) {
    const found = modelOf(layer);
    if (!found) continue;
    viewer.offer(layer, found.url);
    best = [layer, found.url];
  }
  const splats = modelOf("splats");
  if (splats) viewer.offer("splats", splats.url);
  // Only the best is fetched; the others when somebody looks at them.
  if (best && !left && shown.get(best[0]) !== best[1]) {
    const [layer, url] = best;
    shown.set(layer, url);
    try {
      await viewer.add(layer, (share) => { waitingText.textContent = `Fetching the model, ${Math.round(share * 100)} %`; });
      waiting.hidden = true;
      if (layer === "refined" && !opened) say("The better model is here.");
    } catch (error) {
      shown.delete(layer);
      console.warn(error);
      say("A part of the model could not be loaded. Reload the page to try again.");
    }
  }
}

const stereo = new StereoPreview();
if (!("shared" in page.dataset)) new StereoFiles(() => job, stereo);

function showStereo() {
  const [picture, nearness] = ["stereo_view", "nearness_view"].map((kind) => artefact(job, kind));
  if (picture && nearness) stereo.load(picture.url, nearness.url, job.facts?.stereo).catch((error) => console.warn(error));
}

const better = new Better((which) => viewer?.choose(which));

let models = Promise.resolve();
function update(next) {
  job = next;
  showStatus(job);
  showPictures(job);
  showDownloads(job);
  showFacts(job);
  better.show(job);
  showStereo();
  showWaiting();
  models = models.then(showModels);
}

const live = new Live(job, update, showSilence);
const pictures = listenForPictures();
if (!("shared" in page.dataset)) {
  listenForAgain(() => job);
  listenForActions({
    job: () => job,
    update: (next) => live.take(next),
    again: (next) => { live.job = next; left = false; update(next); live.start(); },
    leave: () => { live.stop(); left = true; },
  });
}
update(job);
live.start();

function giveUp(error, text) {
  console.warn(error);
  hopeless = text;
  showWaiting();
}

try {
  const { Viewer } = await loading;
  try {
    viewer = new Viewer(pictures);
    viewer.onShown = (which) => better.mark(which);
    listenForCompare(() => job, viewer);
    models = models.then(showModels);
  } catch (error) {
    giveUp(error, "This browser cannot draw in 3D (WebGL is off). The files can be downloaded all the same.");
  }
} catch (error) {
  giveUp(error, "The viewer could not be loaded: reload the page.");
}
