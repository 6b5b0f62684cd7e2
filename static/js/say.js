// Short messages, read out by screen readers. They stay long enough to be read, and go by themselves or when they are closed.

// Seconds: two to notice it, and three words in each of the others.
const timeToRead = (text) => Math.max(5, 2 + text.split(/\s+/).length / 3);

export function say(text, seconds = timeToRead(text)) {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.append(Object.assign(document.createElement("span"), { textContent: text }));
  const close = Object.assign(document.createElement("button"), { type: "button", textContent: "×", ariaLabel: "Close this message" });
  close.addEventListener("click", () => toast.remove());
  toast.append(close);
  document.getElementById("toasts").append(toast);
  const end = Date.now() + seconds * 1000;
  const look = () => {
    if (toast.matches(":hover, :focus-within")) return setTimeout(look, 1000);  // somebody still reads it
    if (Date.now() < end) return setTimeout(look, end - Date.now());
    return toast.remove();
  };
  look();
}

// On the first page there is a place for problems; elsewhere a toast says them.
export function tellProblem(problem) {
  const place = document.getElementById("problem");
  if (!place) return say(problem.message, Math.max(9, 1.5 * timeToRead(problem.message)));
  place.textContent = problem.message;
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
}

export function forgetProblem() {
  const place = document.getElementById("problem");
  if (place) place.hidden = true;
}
