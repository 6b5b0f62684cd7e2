// Talking to the server. Every failure becomes a Problem with one sentence for the person.

export class Problem extends Error {
  // wait: seconds after which the server may say yes.
  constructor(message, status = 0, code = "", fields = {}, wait = 0) {
    super(message);
    Object.assign(this, { status, code, fields, wait });
  }
}

// Where a path of this application is: it may lie under another one of its host.
export const address = (path) => document.querySelector('meta[name="base"]').content + path;

const token = () => document.querySelector('meta[name="csrf-token"]').content;

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

export function problemFrom(status, text, wait = 0) {
  try {
    const { error } = JSON.parse(text);
    const details = Object.values(error.fields ?? {}).flat().join(" ");
    return new Problem(sentence(details || error.message), status, error.code, error.fields, wait);
  } catch {
    if (status === 413) return new Problem("That is too large for the server: choose a smaller one.", status);
    return new Problem(`The server answered ${status}: try again in a moment.`, status);
  }
}

async function textOf(url, asked) {
  let answer;
  try {
    answer = await fetch(url, asked);
  } catch {
    throw new Problem("The server cannot be reached: see that it runs, then try again.");
  }
  const text = await answer.text();
  if (!answer.ok) throw problemFrom(answer.status, text);
  return text;
}

// fields: what a form would send.
export async function call(method, url, fields, more = {}) {
  const text = await textOf(url, { method, body: fields && new URLSearchParams(fields), headers: { "X-CSRFToken": token(), Accept: "application/json", ...more } });
  return text ? JSON.parse(text) : null;
}

// A part of a page that comes later, as HTML.
export const part = (url) => textOf(url, { headers: { Accept: "text/html" } });

// Only over HTTPS or on this machine do browsers have randomUUID.
export function freshKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// XMLHttpRequest, since fetch does not tell how much of an upload has left.
export function createJob(form, onProgress, signal, key = freshKey()) {
  const path = form.has("film") ? "api/v1/films" : "api/v1/jobs";
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address(path));
    request.setRequestHeader("X-CSRFToken", token());
    request.setRequestHeader("Idempotency-Key", key);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(problemFrom(request.status, request.responseText, Number(request.getResponseHeader("Retry-After")) || 0));
    });
    request.addEventListener("error", () => reject(new Problem("The upload broke off: see that the server runs, then send it again.")));
    request.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
