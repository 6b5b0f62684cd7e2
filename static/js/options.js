// The options of a form: each says what it changes, and all of them together what does not go together.

const upper = (text) => text && text[0].toUpperCase() + text.slice(1);

// What the chosen surface means together with the other choices.
function aboutSurface({ surface, mask, depth_model: model, object, faces }) {
  const scene = mask === "none";
  const told = [];
  if (surface === "auto") told.push(scene ? "As nothing is cut out, the model will be layered." : "");
  if (surface === "solid" && scene) told.push("As nothing is cut out, the model will be a relief with walls and a flat base.");
  if ((surface === "auto" || surface === "solid") && !scene && model !== "auto" && model !== "builtin" && ["auto", "solid"].includes(object)) {
    told.push("With this depth model the back of one thing is its outline, inflated.");
  }
  if (surface === "grid" && faces) told.push("The instant mesh has all triangles; this one comes after it.");
  if (surface !== "poisson") told.push("The smooth mesh is made beside it.");
  return told.filter(Boolean).join(" ");
}

function aboutRefine({ refine, mask }) {
  return refine !== "off" && mask === "none" ? "There must be one thing for that: choose another cut-out" : "";
}

// The chosen values by the options' names: each option has a note.
export function valuesOf(form) {
  const chosen = new FormData(form);
  const names = [...form.querySelectorAll('[id$="-note"]')].map((note) => note.id.slice(0, -"-note".length));
  return Object.fromEntries(names.map((name) => [name, chosen.get(name) ?? ""]));
}

// What an option is called.
export function titleOf(form, name) {
  const field = form.elements[name];
  return (field.labels?.[0] ?? field[0].closest("fieldset").querySelector("legend")).textContent.trim();
}

// The words of an option's choice, as the form has them.
export function labelOf(form, name, value) {
  const field = form.elements[name];
  if (field instanceof HTMLSelectElement) return [...field.options].find((one) => one.value === value)?.text.split(" · ")[0] ?? value;
  if (field instanceof HTMLInputElement) return value || field.placeholder;
  return [...field].find((one) => one.value === value)?.parentElement.querySelector("strong").textContent ?? value;
}

// onChange(values): after each change, and once at the beginning.
export function listenForOptions(form, onChange) {
  const note = (name, text) => { form.querySelector(`#${name}-note`).textContent = text; };
  const tell = () => {
    const values = valuesOf(form);
    for (const select of form.querySelectorAll(".field select")) {
      const { about = "", licence } = select.selectedOptions[0].dataset;
      note(select.name, [upper(about), licence && `licence: ${licence}`].filter(Boolean).join("; "));
    }
    note("surface", aboutSurface(values));
    const trouble = aboutRefine(values);
    if (trouble) note("refine", trouble);
    form.querySelector("#refine-note").classList.toggle("bad", Boolean(trouble));
    for (const { name, value, dataset } of form.querySelectorAll(".field input")) note(name, value ? "" : `Empty: ${dataset.left}`);
    onChange(values);
  };
  form.addEventListener("input", tell);
  form.addEventListener("change", tell);
  tell();
}
