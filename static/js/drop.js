// Photos dropped or pasted anywhere on the page, and a word for everything else.
import { Problem } from "./api.js";
import { carriedBy, looksLikeAFilm, looksLikeAPhoto } from "./carried.js";
import { KINDS, sendPhotos } from "./send.js";
import { tellProblem } from "./say.js";

const veil = document.getElementById("dropveil");
let depth = 0;  // dragenter and dragleave come for every element under the pointer
let ours = false;  // what is dragged is a part of this page

const MEANT = ["Files", "text/uri-list", "text/plain"];
const writes = (target) => target instanceof Element && target.closest("input, textarea, select") !== null;

function forUs(event) {
  if (ours) return false;
  const types = event.dataTransfer?.types ?? [];
  return types.includes("Files") || (MEANT.some((one) => types.includes(one)) && !writes(event.target));
}

function show(visible) {
  depth = visible ? depth : 0;
  veil.hidden = !visible;
}

const NO_LINKS = "That is a link, and Unflat fetches nothing from the internet: save the picture first, then drop the file here.";

function told({ files, folders, link, text }) {
  if (files.length && folders.length) return `There is no photo in that folder: choose ${KINDS} files.`;
  if (folders.length) return "That folder is empty: choose one with photos.";
  if (link) return NO_LINKS;
  if (text) return `That is text, not a photo: choose a ${KINDS} file.`;
  return `There was no photo in that: choose a ${KINDS} file.`;
}

async function take(transfer, wanted) {
  try {
    const carried = await carriedBy(transfer);
    const photos = carried.folders.length ? carried.files.filter((file) => looksLikeAPhoto(file) || looksLikeAFilm(file)) : carried.files;
    if (photos.length) await sendPhotos(photos, carried.files.length - photos.length);
    else if (wanted || carried.link) tellProblem(new Problem(told(carried)));
  } catch (error) {
    console.warn(error);
    tellProblem(new Problem("That could not be read: choose the photo with the button instead."));
  }
}

export function listenForPhotos() {
  addEventListener("dragstart", () => { ours = true; });
  addEventListener("dragend", () => { ours = false; });
  addEventListener("dragenter", (event) => {
    if (!forUs(event)) return;
    event.preventDefault();
    depth += 1;
    show(true);
  });
  addEventListener("dragover", (event) => forUs(event) && event.preventDefault());
  addEventListener("dragleave", (event) => {
    if (!forUs(event)) return;
    depth -= 1;
    if (depth <= 0) show(false);
  });
  addEventListener("drop", (event) => {
    if (!forUs(event)) return;
    event.preventDefault();
    show(false);
    take(event.dataTransfer, true);
  });
  addEventListener("paste", (event) => {
    const files = event.clipboardData?.files.length > 0;
    if (!event.clipboardData || (writes(event.target) && !files)) return;
    event.preventDefault();
    take(event.clipboardData, true);
  });
}
