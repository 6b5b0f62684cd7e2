// Cancel, try again, share, delete.
import { address, call } from "./api.js";
import { say, tellProblem } from "./say.js";

const byId = (id) => document.getElementById(id);

function on(id, action, kind = "click") {
  let busy = false;
  byId(id)?.addEventListener(kind, async (event) => {
    if (kind === "submit") event.preventDefault();
    if (busy) return;
    busy = true;
    try {
      await action();
    } catch (problem) {
      tellProblem(problem);
    } finally {
      busy = false;
    }
  });
}

function copyLink() {
  const field = byId("share-url");
  field.select();
  // The clipboard is there only over HTTPS or on this machine; the older way works everywhere.
  const copied = navigator.clipboard?.writeText(field.value) ?? Promise.reject(new Error("no clipboard"));
  return copied.catch(() => { if (!document.execCommand("copy")) throw new Error("Copy the marked link by hand."); }).then(() => say("Link copied."));
}

// `job()` is the newest state; `update(job)` shows one; `again(job)` follows a job that runs once more; `leave()` follows it
// no longer.
export function listenForActions({ job, update, again, leave }) {
  for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
  for (const id of ["cancel", "better-stop"]) {
    on(id, async () => {
      try {
        update(await call("POST", job().links.cancel));
      } catch (problem) {
        if (problem.status !== 409) throw problem;  // it was ready first
      }
    });
  }
  on("better-offer", async () => again(await call("POST", job().links.refine, new FormData(byId("better-offer")))), "submit");
  on("retry", async () => again(await call("POST", job().links.retry)));
  on("share", async () => {
    const { url } = await call("POST", job().links.share);
    byId("share-url").value = url;
    byId("share-box").showModal();
    byId("share-url").select();
  });
  on("share-copy", copyLink);
  on("share-withdraw", async () => {
    await call("DELETE", job().links.share);
    byId("share-box").close();
    say("The link no longer works.");
  });
  on("delete", async () => byId("delete-box").showModal());
  on("delete-yes", async () => {
    leave();  // else the page asks for what is gone
    await call("DELETE", job().links.self).catch((problem) => { again(job()); throw problem; });
    location.assign(address("history"));
  });
}
