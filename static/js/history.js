// Deleting from the list.
import { call } from "./api.js";
import { say, tellProblem } from "./say.js";

const cards = document.getElementById("cards");

cards.addEventListener("click", async (event) => {
  const button = event.target.closest(".remove");
  if (!button) return;
  if (!button.dataset.sure) {  // a second press within four seconds, so that one slip deletes nothing
    button.dataset.sure = "1";
    say("Press again to delete this model for good.", 4);
    setTimeout(() => delete button.dataset.sure, 4000);
    return;
  }
  try {
    await call("DELETE", button.dataset.url);
  } catch (problem) {
    if (problem.status !== 410) return tellProblem(problem);
  }
  button.closest(".card").remove();
  document.getElementById("empty").hidden = cards.childElementCount > 0;
  say("Deleted.");
});
