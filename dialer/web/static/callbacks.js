// The board of promises: times of the callees beside the reader's own, and the two questions that need more than a yes.

import { $, moment } from "./common.js";

for (const place of document.querySelectorAll("[data-theirs]")) {
  const { theirs, zone, text } = place.dataset;
  place.textContent = text.replace("{at}", moment(theirs, { hour: "2-digit", minute: "2-digit", weekday: "short" }, zone));
}

const ACTIONS = { move: "move", hand: "hand-over" };

for (const button of document.querySelectorAll("[data-open]")) {
  button.addEventListener("click", () => {
    const { open, id, name, due } = button.dataset;
    const dialog = $(`#${open}`);
    const form = $("form", dialog);
    form.reset();
    $(".error", form).hidden = true;
    form.dataset.api = `POST /api/v1/callbacks/${id}/${ACTIONS[open]}`;
    $("[data-whose]", dialog).textContent = name;
    if (due) {
      const at = new Date(due);
      form.elements.due_at.value = new Date(at.getTime() - at.getTimezoneOffset() * 60e3).toISOString().slice(0, 16);
    }
    dialog.showModal();
  });
}

for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
