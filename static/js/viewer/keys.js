// The keyboard on the canvas: what the pointer can do, keys can do.
const STEP = 0.08;  // radians

export function listenForKeys(stage, press) {
  const turns = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
  const presses = { 0: "reset", r: "reset", c: "camera", t: "turn", m: "ruler", b: "compare", s: "shot", f: "full", l: "free" };
  stage.canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (turns[key] || "+=-".includes(key)) stage.rest();
    if (turns[key]) stage.orbit(...turns[key]);
    else if (key === "+" || key === "=") stage.orbit(0, 0, 0.9);
    else if (key === "-") stage.orbit(0, 0, 1 / 0.9);
    else if (presses[key]) press(presses[key]);
    else return;
    event.preventDefault();
  });
}

// A group of which one is chosen: arrows move the choice, Tab goes past it.
export function asRadioGroup(group, choose) {
  const buttons = [...group.querySelectorAll('[role="radio"]')];
  group.addEventListener("click", (event) => {
    const button = event.target.closest('[role="radio"]');
    if (button && !button.disabled) choose(button.dataset.mode);
  });
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const able = buttons.filter((button) => !button.disabled);
    const next = able[(able.indexOf(document.activeElement) + step + able.length) % able.length];
    next?.focus();
    next?.click();
  });
  return (mode) => {
    for (const button of buttons) {
      const chosen = button.dataset.mode === mode;
      button.setAttribute("aria-checked", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
  };
}
