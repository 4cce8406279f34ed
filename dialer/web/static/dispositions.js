// The order of dispositions: moved at once on the page, kept by the server, taken back if it refuses.

import { $, ask, Refusal, toast } from "./common.js";

const list = $("#list");
const path = `/api/v1/campaigns/${$("#kinds").dataset.campaign}/dispositions/order`;

function showEnds() {
  for (const item of list.children) {
    const [up, down] = item.querySelectorAll("[data-move]");
    if (!up) return;
    up.hidden = item === list.firstElementChild;
    down.hidden = item === list.lastElementChild;
  }
}

list.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-move]");
  if (!button) return;
  const item = button.closest("li");
  const before = [...list.children];
  if (button.dataset.move === "-1") item.previousElementSibling.before(item);
  else item.nextElementSibling.after(item);
  const seen = $(".kinds-seen");
  const kinds = [...seen.children];
  seen.replaceChildren(...[...list.children].map((one) => kinds[before.indexOf(one)]));
  showEnds();
  (button.hidden ? item.querySelector("[data-move]:not([hidden])") : button).focus();
  try {
    await ask("PUT", path, { codes: [...list.children].map((one) => one.dataset.code) });
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    list.replaceChildren(...before);
    seen.replaceChildren(...kinds);
    showEnds();
    toast(refusal.message, "bad");
  }
});
