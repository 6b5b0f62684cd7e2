// What every page does: photos can be dropped and pasted; the first page's form is sent without a reload.
import { listenForPhotos } from "./drop.js";
import { labelOf, listenForOptions } from "./options.js";
import { sendPhotos, sendSample } from "./send.js";

listenForPhotos();
for (const time of document.querySelectorAll("time")) {  // in the visitor's own zone
  time.textContent = new Date(time.dateTime).toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit" });
}

const form = document.getElementById("new");
if (form) {
  for (const id of ["photo", "camera"]) {
    const input = document.getElementById(id);
    input.addEventListener("change", () => {
      if (input.files.length) sendPhotos([...input.files]);
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
  listenForOptions(form, ({ surface, depth_model: model }) => {
    const said = [labelOf(form, "surface", surface), model !== "auto" && model].filter(Boolean);
    document.getElementById("options-summary").textContent = said.join(", ");
  });
  // While the person looks for a photo, the viewer comes; it is there before the first view is.
  addEventListener("load", () => setTimeout(() => import("./viewer/viewer.js").catch(() => {}), 800));
}
