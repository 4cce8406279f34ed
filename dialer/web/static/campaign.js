// Settings that only some modes have are shown with their mode; asking to loosen a rule.

import { $ } from "./common.js";

const form = $("#settings");

function show() {
  for (const part of form.querySelectorAll("[data-mode]")) part.hidden = !part.dataset.mode.split(" ").includes(form.elements.mode.value);
}

form.elements.mode.addEventListener("input", show);
show();

// Which figure a loosening is about; beside it what holds now.
const chosen = $("#loosening [data-names]");
chosen?.addEventListener("input", () => {
  const value = $("#value");
  value.name = `changes.${chosen.value}`;
  value.placeholder = chosen.selectedOptions[0].dataset.now;
});
