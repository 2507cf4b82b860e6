/** A short double tone for a call, for halls that want one. A browser that was not allowed to sound stays silent. */

const EVERY_MS = 4_000;

export class WallSound {
  constructor() {
    /** @type {AudioContext | null} */
    this.audio = null;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
  }

  /** @param {boolean} on */
  call(on) {
    if (on === (this.timer !== undefined)) return;
    clearInterval(this.timer);
    this.timer = undefined;
    if (!on) return;
    this.#tone();
    this.timer = setInterval(() => this.#tone(), EVERY_MS);
  }

  #tone() {
    this.audio ??= new AudioContext();
    const { audio } = this;
    for (const [pitch, after] of /** @type {[number, number][]} */ ([[880, 0], [660, 0.25]])) {
      const tone = new OscillatorNode(audio, { frequency: pitch });
      const volume = new GainNode(audio, { gain: 0.2 });
      tone.connect(volume).connect(audio.destination);
      const begin = audio.currentTime + after;
      volume.gain.setTargetAtTime(0, begin + 0.12, 0.04);
      tone.start(begin);
      tone.stop(begin + 0.3);
    }
  }
}
