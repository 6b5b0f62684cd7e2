// One job's page: its state as it changes, and the models in the viewer as they appear.
import { listenForActions } from "./actions.js";
import { listenForAgain, listenForCompare } from "./again.js";
import { Better } from "./better.js";
import { isReady, Live } from "./live.js";
import { artefact, showDownloads, showFacts, showPictures, showSilence, showStatus } from "./panels.js";
import { listenForPictures } from "./pictures.js";
import { say } from "./say.js";

const loading = import("./viewer/viewer.js");  // the largest file: asked for first
loading.catch(() => {});  // told at the end
const page = document.getElementById("job");
const waiting = document.getElementById("waiting");
const waitingText = document.getElementById("waiting-text");
const LAYERS = new Map([["points_view", "points"], ["grid", "grid"], ["mesh", "mesh"], ["refined", "refined"]]);  // artefact kind → layer
const ON_DEMAND = new Map([["smooth", "smooth"]]);  // those that are fetched when somebody wants to see them
const shown = new Map();  // artefact kind → the address that the viewer has
let job = JSON.parse(page.dataset.job);
let viewer = null;
let left = false;  // the person deletes the job
const opened = Boolean(artefact(job, "refined"));  // with the better model already there
let hopeless = "";  // why there will be no viewer

function showWaiting() {
  const photo = artefact(job, "photo");
  const picture = document.getElementById("waiting-photo");
  if (photo && !picture.getAttribute("src")) {
    picture.src = photo.url;
    picture.hidden = false;
  }
  const come = [...LAYERS.keys()].some((kind) => artefact(job, kind));
  waiting.classList.toggle("ended", isReady(job) && !come);
  if (hopeless) waitingText.textContent = hopeless;
  else if (!come) waitingText.textContent = isReady(job) ? "There is no model to show" : "Waiting for the first points";
}

async function showModels() {
  if (!viewer) return;
  viewer.describe(job);
  // While it is being made in the order in which it comes; of a finished job the best first.
  for (const [kind, layer] of ON_DEMAND) {
    const found = artefact(job, kind);
    if (found) viewer.offer(layer, found.url);
  }
  const order = isReady(job) ? [...LAYERS].reverse() : LAYERS;
  for (const [kind, layer] of order) {
    const found = artefact(job, kind);
    if (left || !found || shown.get(kind) === found.url) continue;
    shown.set(kind, found.url);
    try {
      await viewer.add(layer, found.url, (share) => { waitingText.textContent = `Fetching the model, ${Math.round(share * 100)} %`; });
      waiting.hidden = true;
      if (kind === "refined" && !opened) say("The better model is here.");
    } catch (error) {
      shown.delete(kind);
      console.warn(error);
      say("A part of the model could not be loaded. Reload the page to try again.");
    }
  }
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
