// Whom a pass calls again is counted before it is begun.

import { $, counted } from "./common.js";

$("#choose select")?.addEventListener("change", (event) => event.target.form.submit());

const form = $("#begin");

function count() {
  const boxes = [...form.querySelectorAll("[data-count]:checked")];
  const total = counted("contacts", boxes.reduce((sum, box) => sum + Number(box.dataset.count), 0));
  $("#go").hidden = !boxes.length;
  $("#none").hidden = boxes.length > 0;
  $("#go").textContent = `${form.dataset.title}: ${total}`;
  form.dataset.ask = `${total}. ${form.dataset.sentence}`;
}

form?.addEventListener("input", count);
if (form) count();
