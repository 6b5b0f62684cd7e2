// A picture of the stage, and the stage over the whole screen.
import { say } from "../say.js";

export function savePicture(stage, title) {
  stage.redraw();  // the drawing buffer is empty once a picture is on the screen
  stage.canvas.toBlob((blob) => {
    if (!blob) return say("The picture could not be made.");
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `${title || "model"}-view.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }, "image/png");
}

// Phones without the Fullscreen API get the stage over the whole page instead.
export function listenForFullScreen(viewer, onChange) {
  const full = () => Boolean(document.fullscreenElement) || viewer.classList.contains("filling");
  document.addEventListener("fullscreenchange", () => onChange(full()));
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !viewer.classList.contains("filling")) return;
    viewer.classList.remove("filling");
    onChange(false);
  });
  return async () => {
    if (document.fullscreenElement) await document.exitFullscreen();
    else if (viewer.classList.contains("filling")) viewer.classList.remove("filling");
    else if (viewer.requestFullscreen) await viewer.requestFullscreen().catch(() => viewer.classList.add("filling"));
    else viewer.classList.add("filling");
    onChange(full());
  };
}
