// Photos or a sample become jobs: checked, sent with progress, and the job's page opened, or that of several together.
import { createJob, freshKey, Problem } from "./api.js";
import { looksLikeAFilm, looksLikeAPhoto } from "./carried.js";
import { forgetProblem, tellProblem } from "./say.js";
import { galleryOf, keepUntaken, sayLeftOut, Together } from "./together.js";

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

const LATER = new Set([429, 503]);  // there is no room now, and there will be
const MOST_WAIT = 60;
const LOST = 3;  // tries of a photo whose connection breaks

const seconds = (count) => new Promise((resolve) => setTimeout(resolve, 1000 * count));

// Until the server may have room: when one of ours has ended, or the time that it named is over.
async function untilRoom(together, wait) {
  const before = together.unfinished;
  for (let waited = 0; waited < wait && !abort.signal.aborted; waited += 1) {
    if (before && together.unfinished < before) return;
    await seconds(1);
  }
}

// A job, after as many tries as it takes. Throws a Problem, or AbortError.
async function sentInTime(tile, file, together) {
  const key = freshKey();
  for (let lost = 0; ;) {
    if (abort.signal.aborted) throw new DOMException("stopped", "AbortError");
    tile.tell("sending", "Sending");
    together.sum();
    try {
      return await createJob(fieldsWith(fieldOf(file), file), (share) => tile.tell("sending", share < 1 ? "Sending" : "The server looks at it", share), abort.signal, key);
    } catch (problem) {
      const again = LATER.has(problem.status) || (problem.status === 0 && problem.name !== "AbortError" && ++lost < LOST);
      if (!again) throw problem;
      tile.tell("waiting", `${problem.message} It is sent again by itself.`);
      await untilRoom(together, Math.min(problem.wait || 3, MOST_WAIT));
    }
  }
}

const ALL_OVER = new Set([0, 507]);  // the next photo would not be taken either

// Each becomes a model of its own, and all are shown together. A photo that is refused keeps no other one out.
async function sendEach(files, leftOut) {
  if (!mayBegin()) return;
  const stopping = abort;
  const { box: together, close } = openTogether(files.length, () => stopping.abort());
  const all = files.map((file) => [file, together.add(file.name || "pasted.png")]);
  for (const [file, tile] of all) {
    if (looksLikeAPhoto(file)) tile.showFile(file);
    tile.tell("waiting", "Waiting to be sent");
  }
  together.sum();
  let over = "";
  for (const [file, tile] of all) {
    try {
      await check(file);
      if (over) throw new Problem(over);
      tile.show(await sentInTime(tile, file, together));
      together.follow();
    } catch (problem) {
      if (problem.name === "AbortError") over = "You stopped it before this one was sent.";
      else if (ALL_OVER.has(problem.status) && problem.code !== UNFIT) over = problem.message;
      tile.tell("untaken", problem.name === "AbortError" ? over : problem.message);
    }
    together.sum();
  }
  abort = null;
  const untaken = all.filter(([, tile]) => !tile.job).map(([file, tile]) => ({ name: file.name, told: tile.part("tilestatus").textContent }));
  close(untaken, leftOut);
}

// The box with the tiles while photos are sent; `close` goes on to their page, or stays where none was taken.
function openTogether(count, stop) {
  const shown = byId("together");
  const button = byId("together-stop");
  const box = new Together(shown);
  shown.querySelector(".tiles").replaceChildren();
  byId("together-title").textContent = `${count} photos, a model of each`;
  button.textContent = "Stop sending";
  button.onclick = stop;
  shown.oncancel = (event) => { event.preventDefault(); button.click(); };
  shown.showModal();
  const close = (untaken, leftOut) => {
    box.stop();
    if (box.jobs.length) {
      keepUntaken(box.jobs, [...untaken, ...(leftOut ? [{ leftOut }] : [])]);
      location.assign(galleryOf(box.jobs));
      return;
    }
    button.textContent = "Close";
    button.onclick = () => shown.close();
    sayLeftOut(leftOut);
  };
  return { box, close };
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
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const open of document.querySelectorAll("dialog[open]")) open.close();
});
