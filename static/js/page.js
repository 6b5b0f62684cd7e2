// What every page does: photos can be dropped and pasted; the first page's form is sent without a reload.
import { listenForPhotos } from "./drop.js";
import { sendPhoto, sendSample } from "./send.js";

listenForPhotos();
for (const time of document.querySelectorAll("time")) {  // in the visitor's own zone
  time.textContent = new Date(time.dateTime).toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit" });
}

const form = document.getElementById("new");
if (form) {
  for (const id of ["photo", "camera"]) {
    const input = document.getElementById(id);
    input.addEventListener("change", () => {
      if (input.files.length) sendPhoto(input.files[0]);
      input.value = "";  // so that the same photo can be chosen again
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = event.submitter;
    if (chosen?.name === "sample") sendSample(chosen.value, chosen.querySelector("img").src);
    else document.getElementById("photo").click();
  });
  // The browser tells what is out of bounds beside its field, if that is not folded away.
  form.addEventListener("invalid", () => { document.getElementById("options").open = true; }, true);
  const model = document.getElementById("depth_model");
  const note = document.getElementById("model-note");
  const summary = document.getElementById("options-summary");
  const tell = () => {
    const { about, licence } = model.selectedOptions[0].dataset;
    note.textContent = [about[0].toUpperCase() + about.slice(1), licence && `licence: ${licence}`].filter(Boolean).join("; ");
    const surface = form.querySelector('[name="surface"]:checked')?.parentElement.querySelector("strong").textContent;
    summary.textContent = [surface, model.value !== "auto" && model.value].filter(Boolean).join(", ");
  };
  form.addEventListener("change", tell);
  tell();
  // While the person looks for a photo, the viewer comes; it is there before the first points are.
  addEventListener("load", () => setTimeout(() => import("./viewer/viewer.js").catch(() => {}), 800));
}
