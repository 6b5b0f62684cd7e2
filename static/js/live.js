// A job's state as it changes: server-sent events, and asking every two seconds where they do not come through.

const FINAL = new Set(["done", "failed", "cancelled"]);
const ASK_EVERY = 2000;
const SILENCE = 4000;  // a proxy that buffers keeps the stream open and mute; the first event comes at once

export const isFinal = (job) => FINAL.has(job.state);
// Nothing more comes of the first model but its film; a better one may be on its way.
export const isReady = (job) => isFinal(job) || ["film", "refine"].includes(job.lane);

export class Live {
  // onJob(job): there is news; onSilence(): the server does not answer, and is asked again.
  constructor(job, onJob, onSilence) {
    Object.assign(this, { job, onJob, onSilence });
    this.etag = null;
  }

  start() {
    this.stop();
    if (isFinal(this.job)) return;
    this.source = new EventSource(this.job.links.events);
    this.source.addEventListener("job", (event) => {
      clearTimeout(this.mute);
      clearTimeout(this.timer);
      this.take(JSON.parse(event.data));
    });
    this.source.addEventListener("error", () => this.ask());  // it ended, and comes again by itself, or it cannot be had
    this.mute = setTimeout(() => this.ask(), SILENCE);
  }

  stop() {
    this.source?.close();
    this.source = null;
    clearTimeout(this.timer);
    clearTimeout(this.mute);
  }

  take(job) {
    const older = job.attempt < this.job.attempt || (job.attempt === this.job.attempt && job.seq < this.job.seq);
    if (older) return;
    this.job = job;
    if (isFinal(job)) this.stop();
    this.onJob(job);
  }

  async ask() {
    clearTimeout(this.timer);
    try {
      const answer = await fetch(this.job.links.self, { headers: this.etag ? { "If-None-Match": this.etag } : {} });
      if (answer.status === 410 || answer.status === 404) return this.gone();
      if (answer.ok) {
        this.etag = answer.headers.get("ETag");
        this.take(await answer.json());
      }
      else if (answer.status === 304) this.onJob(this.job);
      else this.onSilence();
    } catch {
      if (!isFinal(this.job)) this.onSilence();
    }
    clearTimeout(this.timer);
    if (!isFinal(this.job)) this.timer = setTimeout(() => this.ask(), ASK_EVERY);
  }

  gone() {
    this.stop();
    this.onJob({ ...this.job, state: "failed", error: { code: "gone", message: "This model was deleted or has expired." } });
  }
}
