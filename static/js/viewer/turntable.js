// The model turning by itself: all round if it is closed, else to and fro, for there is nothing to see from behind.
const TURN = 14000;  // milliseconds for one round
const BACK = 1.02;  // so much farther at each picture, until all of a closed model is seen
const SWING = 0.6;  // radians to each side

export class Turntable {
  constructor(stage, onChange) {
    Object.assign(this, { stage, onChange, on: false, closed: false });
  }

  toggle(on = !this.on) {
    if (on === this.on) return;
    this.on = on;
    this.onChange(on);
    if (!on) {
      this.stage.motion = null;
      return;
    }
    let last = null;
    let swung = 0;
    let angle = 0;
    this.stage.move((now) => {
      const step = last === null ? 0 : Math.min(100, now - last);
      last = now;
      angle += (step / TURN) * 2 * Math.PI;
      const to = this.closed ? angle : Math.min(SWING, 0.8 * (this.stage.cone ?? Math.PI)) * Math.sin(angle * 1.6);
      this.stage.orbit(to - swung, 0, this.closed ? Math.min(BACK, this.stage.tooNear()) : 1);
      swung = to;
      return this.on;
    });
  }
}
