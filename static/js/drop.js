// Photos dropped or pasted anywhere on the page.
import { sendPhoto } from "./send.js";
import { say } from "./say.js";

const veil = document.getElementById("dropveil");
let depth = 0;  // dragenter and dragleave come for every element under the pointer

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

function show(visible) {
  depth = visible ? depth : 0;
  veil.hidden = !visible;
}

export function listenForPhotos() {
  addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    show(true);
  });
  addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  addEventListener("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    depth -= 1;
    if (depth <= 0) show(false);
  });
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    show(false);
    const files = [...event.dataTransfer.files];
    if (files.length > 1) say("One photo at a time: the first one was taken.");
    if (files.length) sendPhoto(files[0]);
  });
  addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    sendPhoto(file);
  });
}
