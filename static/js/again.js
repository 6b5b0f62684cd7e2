// Another model of the same photo: the options in a box, and the other models beside this one.
import { call, freshKey, part } from "./api.js";
import { labelOf, listenForOptions, titleOf, valuesOf } from "./options.js";
import { artefact } from "./panels.js";
import { say, tellProblem } from "./say.js";

const byId = (id) => document.getElementById(id);

// By what they mean: an emptied field may say what it said before.
const changed = (form, before, now) => Object.keys(now).filter((name) => labelOf(form, name, before[name]) !== labelOf(form, name, now[name]));

function inWords(form, before, now) {
  const names = changed(form, before, now);
  if (!names.length) return "Nothing is changed yet.";
  return `${names.map((name) => `${titleOf(form, name)}: ${labelOf(form, name, before[name])} → ${labelOf(form, name, now[name])}`).join("; ")}.`;
}

// `job()` is the newest state. The options are a third of the page's weight, so they come when they are asked for.
export function listenForAgain(job) {
  const box = byId("again-box");
  const form = byId("again");
  let before, busy = false;
  const tell = (now) => {
    byId("again-changes").textContent = inWords(form, before, now);
    byId("again-send").disabled = busy || !changed(form, before, now).length;
  };
  byId("again-open").addEventListener("click", async () => {
    try {
      if (!before) {
        const options = await part(box.dataset.form);
        if (before) return;  // clicked twice
        form.replaceChildren(...new DOMParser().parseFromString(options, "text/html").body.childNodes);
        before = valuesOf(form);
        for (const button of form.querySelectorAll("[data-close]")) button.addEventListener("click", () => box.close());
        listenForOptions(form, tell);
      }
      box.showModal();
    } catch (problem) {
      tellProblem(problem);
    }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const now = valuesOf(form), send = byId("again-send");
    busy = send.disabled = true;
    try {
      const fields = Object.fromEntries(changed(form, before, now).map((name) => [name, now[name]]));
      const made = await call("POST", job().links.again, fields, { "Idempotency-Key": freshKey() });
      location.assign(made.links.page);
    } catch (problem) {
      busy = send.disabled = false;
      box.close();  // a message would lie under it
      tellProblem(problem);
    }
  });
}

// What another model is best seen by.
const best = (job) => ["refined", "mesh", "grid"].map((kind) => artefact(job, kind)).find(Boolean);

// `viewer`: once it is there.
export function listenForCompare(job, viewer) {
  for (const button of document.querySelectorAll("#results .compare")) {
    button.disabled = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        const { jobs } = await call("GET", job().links.results);
        const other = jobs.find((one) => one.id === button.dataset.id);
        const found = other && best(other);
        if (!other) say("That model was deleted or has expired.");
        else if (!found) say("That model has no mesh yet: wait until it is made.");
        else await viewer.beside(other, found, button.dataset.words);
      } catch (problem) {
        tellProblem(problem);
      } finally {
        button.disabled = false;
      }
    });
  }
}
