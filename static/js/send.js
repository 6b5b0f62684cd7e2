// A photo or a sample becomes a job: checked, sent with progress, and the job's page opened.
import { createJob, Problem } from "./api.js";
import { forgetProblem, tellProblem } from "./say.js";

const box = document.getElementById("sending");
const bar = document.getElementById("sending-bar");
const picture = document.getElementById("sending-photo");
let abort = null;

document.getElementById("sending-stop").addEventListener("click", () => abort?.abort());
box.addEventListener("cancel", () => abort?.abort());

// The choices of the form where there is one, else the server's defaults.
function fieldsWith(name, value) {
  const page = document.getElementById("new");
  const fields = new FormData();
  if (page) {
    for (const [key, text] of new FormData(page)) {
      if (typeof text === "string" && text !== "" && key !== "sample" && key !== "csrf_token") fields.append(key, text);
    }
  }
  if (value instanceof File) fields.append(name, value, value.name || "pasted.png");
  else fields.append(name, value);
  return fields;
}

function checkPhoto(file) {
  const looksRight = /^image\//.test(file.type) || /\.(jpe?g|png|webp|avif|heic|heif)$/i.test(file.name);
  if (!looksRight) throw new Problem(`“${file.name}” is not a photo: choose a JPEG, PNG, WebP, AVIF or HEIC file.`);
  const most = Number(box.dataset.maxMib);
  if (file.size > most * 2 ** 20) {
    throw new Problem(`“${file.name}” has ${Math.ceil(file.size / 2 ** 20)} MB: choose a photo of at most ${most} MB.`);
  }
  if (file.size === 0) throw new Problem(`“${file.name}” is empty: choose another photo.`);
}

async function send(fields, pictureUrl) {
  if (abort) return;
  if (document.getElementById("new")?.reportValidity() === false) return;
  forgetProblem();
  abort = new AbortController();
  bar.value = 0;
  picture.src = pictureUrl;
  picture.hidden = false;
  picture.onerror = () => { picture.hidden = true; };  // a HEIC photo, which most browsers cannot show
  box.showModal();
  try {
    const job = await createJob(fields, (share) => { bar.value = share; }, abort.signal);
    location.assign(job.links.page);
  } catch (problem) {
    if (problem.name !== "AbortError") tellProblem(problem);
    box.close();
  } finally {
    abort = null;
    if (pictureUrl.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(pictureUrl), 10000);
  }
}

export function sendPhoto(file) {
  try {
    checkPhoto(file);
  } catch (problem) {
    tellProblem(problem);
    return;
  }
  send(fieldsWith("photo", file), URL.createObjectURL(file));
}

export const sendSample = (name, pictureUrl) => send(fieldsWith("sample", name), pictureUrl);

// Coming back with the browser's arrow finds the page as it was left: with the box open.
addEventListener("pageshow", (event) => { if (event.persisted && box.open) box.close(); });
