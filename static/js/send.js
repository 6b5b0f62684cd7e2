// Photos or a sample become jobs: checked, sent with progress, and the job's page opened, or the list of them.
import { address, createJob, Problem } from "./api.js";
import { looksLikeAFilm, looksLikeAPhoto } from "./carried.js";
import { forgetProblem, sayNext, tellProblem } from "./say.js";

const byId = (id) => document.getElementById(id);
const box = byId("sending");
export const KINDS = box.dataset.kinds;  // of photo, as the server can read them: "JPEG, PNG or WebP"
const bar = byId("sending-bar");
const picture = byId("sending-photo");
let abort = null;

byId("sending-stop").addEventListener("click", () => abort?.abort());
box.addEventListener("cancel", () => abort?.abort());

// How long a film lasts, in seconds, where the browser can tell before anything is sent; else 0.
function lengthOf(file) {
  const film = document.createElement("video");
  const url = URL.createObjectURL(file);
  return new Promise((resolve) => {
    const tell = () => { URL.revokeObjectURL(url); resolve(Number.isFinite(film.duration) ? film.duration : 0); };
    for (const event of ["loadedmetadata", "error"]) film.addEventListener(event, tell);
    setTimeout(tell, 3000);
    film.preload = "metadata";
    film.src = url;
  });
}

async function checkFilm(file) {
  const { filmMib: most, filmMinutes: minutes } = box.dataset;
  if (file.size > most * 2 ** 20) throw unfit(`“${file.name}” has ${Math.ceil(file.size / 2 ** 20)} MB: choose a film of at most ${most} MB, or cut it.`);
  if (file.size === 0) throw unfit(`“${file.name}” is empty: choose another film.`);
  const length = await lengthOf(file);
  if (length > 60 * minutes) throw unfit(`“${file.name}” lasts ${Math.ceil(length / 60)} minutes: choose a film of at most ${minutes}, or cut it.`);
}

// The choices of the form where there is one, else the server's defaults.
function fieldsWith(name, value) {
  const page = byId("new");
  const fields = new FormData();
  if (page && name !== "film") {
    for (const [key, text] of new FormData(page)) {
      if (typeof text === "string" && text !== "" && key !== "sample" && key !== "csrf_token") fields.append(key, text);
    }
  }
  if (value instanceof File) fields.append(name, value, value.name || "pasted.png");
  else fields.append(name, value);
  return fields;
}

const fieldOf = (file) => (looksLikeAFilm(file) ? "film" : "photo");
const UNFIT = "unfit";
const unfit = (text) => new Problem(text, 0, UNFIT);

async function check(file) {
  if (looksLikeAFilm(file)) return checkFilm(file);
  if (!looksLikeAPhoto(file)) throw unfit(`“${file.name}” is not a photo: choose a ${KINDS} file.`);
  const most = Number(box.dataset.maxMib);
  if (file.size > most * 2 ** 20) {
    throw unfit(`“${file.name}” has ${Math.ceil(file.size / 2 ** 20)} MB: choose a photo of at most ${most} MB.`);
  }
  if (file.size === 0) throw unfit(`“${file.name}” is empty: choose another photo.`);
}

function show(title, pictureUrl) {
  byId("sending-title").textContent = title;
  bar.value = 0;
  picture.src = pictureUrl;
  picture.hidden = false;
  picture.onerror = () => { picture.hidden = true; };  // a HEIC photo, which most browsers cannot show
  if (!box.open) box.showModal();
}

async function send(name, value, title, pictureUrl) {
  const url = pictureUrl ?? URL.createObjectURL(value);
  show(title, url);
  try {
    return await createJob(fieldsWith(name, value), (share) => { bar.value = share; }, abort.signal);
  } finally {
    if (url.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(url), 10000);
  }
}

// What is known to be wrong before anything is sent, if it is; may be called again when that is over.
function mayBegin() {
  if (abort || byId("new")?.reportValidity() === false) return false;
  forgetProblem();
  abort = new AbortController();
  return true;
}

async function sendOne(name, value, pictureUrl) {
  if (!mayBegin()) return;
  try {
    const job = await send(name, value, name === "film" ? "Sending the film" : "Sending the photo", pictureUrl);
    location.assign(job.links.page);
  } catch (problem) {
    if (problem.name !== "AbortError") tellProblem(problem);
    box.close();
  } finally {
    abort = null;
  }
}

const NO_MORE = new Set([0, 429, 503, 507]);  // the next photo would not be taken either

// Each becomes a model of its own. A photo that is refused keeps no other one out; a server that has enough does.
async function sendEach(files, leftOut) {
  if (!mayBegin()) return;
  const made = [];
  const refused = [];
  let enough = "";
  for (const [index, file] of files.entries()) {
    try {
      await check(file);
      made.push(await send(fieldOf(file), file, `Sending ${fieldOf(file)} ${index + 1} of ${files.length}`));
    } catch (problem) {
      if (problem.name === "AbortError") enough = "You stopped it.";
      else if (problem.code === UNFIT) refused.push(problem.message);
      else if (NO_MORE.has(problem.status)) enough = problem.message;
      else refused.push(`“${file.name}”: ${problem.message}`);
    }
    if (enough) break;
  }
  abort = null;
  const others = leftOut ? `${leftOut} other ${leftOut === 1 ? "file is no photo" : "files are no photos"}.` : "";
  const told = [`${made.length} of ${files.length} photos were taken, each for a model of its own.`, enough, ...refused.slice(0, 3), refused.length > 3 && `And ${refused.length - 3} more were refused.`, others].filter(Boolean).join(" ");
  if (!made.length) {
    box.close();
    tellProblem(new Problem(told));
    return;
  }
  sayNext(told);
  location.assign(made.length === 1 ? made[0].links.page : address("history"));
}

// leftOut: how many other files came with them.
export async function sendPhotos(files, leftOut = 0) {
  if (files.length > 1) return sendEach(files, leftOut);
  try {
    await check(files[0]);
  } catch (problem) {
    return tellProblem(problem);
  }
  return sendOne(fieldOf(files[0]), files[0]);
}

export const sendSample = (name, pictureUrl) => sendOne("sample", name, pictureUrl);

// Coming back with the browser's arrow finds the page as it was left: with the box open.
addEventListener("pageshow", (event) => { if (event.persisted && box.open) box.close(); });
