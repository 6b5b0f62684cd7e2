// Short messages that go by themselves, read out by screen readers.

export function say(text, seconds = 5) {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.textContent = text;
  document.getElementById("toasts").append(toast);
  setTimeout(() => toast.remove(), seconds * 1000);
}

// On the first page there is a place for problems; elsewhere a toast says them.
export function tellProblem(problem) {
  const place = document.getElementById("problem");
  if (!place) return say(problem.message, 9);
  place.textContent = problem.message;
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
}

export function forgetProblem() {
  const place = document.getElementById("problem");
  if (place) place.hidden = true;
}
