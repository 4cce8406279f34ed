// Sound for what is new and wrong: two tones, never alone (the text stands above), off by a button whose state is seen.

import { $, icon, t } from "./common.js";

const button = $("#sound");
let audio = null;
let known = null;

const muted = () => localStorage.getItem("sound") === "off";

function name() {
  const blocked = !muted() && audio?.state !== "running";
  const text = t(muted() ? "board.sound.off" : blocked ? "board.sound.blocked" : "board.sound.on");
  button.replaceChildren(icon(muted() ? "mute" : "ringing"), ` ${text}`);
  button.setAttribute("aria-pressed", String(!muted()));
}

function tone(hertz, at) {
  const source = audio.createOscillator();
  const volume = audio.createGain();
  source.frequency.value = hertz;
  volume.gain.setValueAtTime(0.0001, audio.currentTime + at);
  volume.gain.exponentialRampToValueAtTime(0.2, audio.currentTime + at + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + at + 0.25);
  source.connect(volume).connect(audio.destination);
  source.start(audio.currentTime + at);
  source.stop(audio.currentTime + at + 0.3);
}

/** Browsers allow sound only after somebody touched the page. */
async function wake() {
  audio ??= new AudioContext();
  await audio.resume().catch(() => {});
  name();
}

/** Sound once for each alert that was not there before; the first picture is silent. */
export function alarm(alerts) {
  const fresh = known && alerts.some((alert) => !known.has(alert));
  known = new Set(alerts);
  if (!fresh || muted() || audio?.state !== "running") return;
  tone(880, 0);
  tone(660, 0.28);
}

button.addEventListener("click", async () => {
  localStorage.setItem("sound", muted() ? "on" : "off");
  await wake();
});
addEventListener("pointerdown", wake, { once: true });
addEventListener("keydown", wake, { once: true });
name();
