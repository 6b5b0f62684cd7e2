// The photo, the depth map and the mask, large over the stage (only then fetched large): while one is pressed in, it covers the model.

export function listenForPictures() {
  const over = document.getElementById("picture-over");
  const buttons = [...document.querySelectorAll(".picture")];
  const show = (chosen) => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button === chosen));
    over.hidden = !chosen;
    if (!chosen) return;
    over.src = chosen.dataset.full;
    over.alt = chosen.dataset.label;
  };
  for (const button of buttons) {
    button.addEventListener("click", () => show(button.getAttribute("aria-pressed") === "true" ? null : button));
  }
  over.addEventListener("click", () => show(null));
  addEventListener("keydown", (event) => { if (event.key === "Escape" && !over.hidden) show(null); });
  return { close: () => show(null) };
}
