// Settings that only some modes have are shown with their mode.

import { $ } from "./common.js";

const form = $("#settings");

function show() {
  for (const part of form.querySelectorAll("[data-mode]")) part.hidden = !part.dataset.mode.split(" ").includes(form.elements.mode.value);
}

form.elements.mode.addEventListener("input", show);
show();
