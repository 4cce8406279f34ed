// Recordings: an address to listen at is asked for when somebody wants to hear one, which is written down.

import { ask, el } from "./common.js";

/** An address that stops being good sooner than this is not to blame for what does not play. */
const GOOD_MS = 60e3;

const link = (place) => ask("POST", `/api/v1/recordings/${place.dataset.recording}/link`);

/** Whatever does not play says so. */
function fail(place) {
  place.querySelector(".error")?.remove();
  place.append(el("span", { className: "error", role: "alert" }, ` ${place.dataset.failed}`));
}

/** Play from there on; an address that has become too old meanwhile is asked for anew. */
function play(player, place, { url }, at) {
  const given = performance.now();
  place.querySelector(".error")?.remove();
  player.onerror = async () => {
    const from = player.currentTime;
    const next = performance.now() - given > GOOD_MS ? await link(place).catch(() => null) : null;
    if (next) play(player, place, next, from);
    else fail(place);
  };
  player.src = url;
  if (at) player.currentTime = at;
}

async function open(place, button) {
  button.disabled = true;
  const given = await link(place).catch(() => null);
  if (!given) {
    button.disabled = false;
    return fail(place);
  }
  const player = document.createElement("audio");
  player.controls = player.autoplay = true;
  player.setAttribute("aria-label", place.dataset.label);
  place.replaceChildren(player);
  play(player, place, given, 0);
  player.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-recording] button");
  if (button) open(button.closest("[data-recording]"), button);
});
