// The page of several models together.
import { address } from "./api.js";
import { bestModel } from "./panels.js";
import { Together, sayLeftOut, untakenOf } from "./together.js";

const page = document.getElementById("gallery");
const together = new Together(page);
const jobs = JSON.parse(page.dataset.jobs);
const ids = page.dataset.ids.split(",");
const links = [...page.querySelectorAll("[data-files]")];

together.onSum = () => {
  const ready = together.jobs.filter(bestModel);
  for (const link of links) {
    link.toggleAttribute("aria-disabled", !ready.length);
    if (!ready.length) link.removeAttribute("href");
    else link.href = `${address("api/v1/zip")}?ids=${ready.map((job) => job.id).join(",")}&files=${link.dataset.files}`;
  }
  document.getElementById("gallery-count").textContent = ready.length === 1 ? "1 model" : `${ready.length || "all"} models`;
};

for (const job of jobs) together.add(job.title).show(job);
for (const { name, told, leftOut } of untakenOf(ids)) {
  if (leftOut) sayLeftOut(leftOut);
  else together.tellUntaken(name, told);
}
together.follow();
