// The page of a campaign's money: which fields a kind of price has, and what a day would have come to.

import { $, ask, Refusal } from "./common.js";
import { body, clear, refuse } from "./forms.js";

const form = $("#price");
if (form) {
  const kind = form.elements.kind;
  const parts = form.querySelectorAll("[data-kinds]");

  const fit = () => {
    for (const part of parts) {
      part.hidden = !part.dataset.kinds.split(" ").includes(kind.value);
      for (const field of part.querySelectorAll("input, select")) field.disabled = part.hidden;
    }
    for (const word of form.querySelectorAll("[data-per]")) word.hidden = word.dataset.per !== kind.value;
  };
  kind.addEventListener("change", fit);
  fit();

  const grouped = (amount) => amount.replace(/\B(?=(\d{3})+(?!\d))/g, "\u00a0");
  const place = $("#rehearsed");
  $("#rehearse").addEventListener("click", async () => {
    clear(form);
    if (!form.reportValidity()) return;
    try {
      const told = await ask("POST", `${form.dataset.api.split(" ")[1]}/rehearse`, { price: body(form) });
      $("#rehearsed-day").textContent = place.dataset.day.replace("{day}", told.day);
      for (const side of ["cost", "revenue"]) {
        const text = $(`#rehearsed-${side}`);
        const [before, after] = [told[`${side}_before`], told[`${side}_after`]];
        text.hidden = before === after && !kind.value.startsWith(side === "cost" ? "cost" : "tariff");
        text.textContent = text.dataset.text
          .replace("{before}", `${grouped(before)} ${told.currency}`)
          .replace("{after}", `${grouped(after)} ${told.currency}`);
      }
      place.hidden = false;
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      place.hidden = true;
      refuse(form, refusal);
    }
  });
  form.addEventListener("input", () => { place.hidden = true; });
}
