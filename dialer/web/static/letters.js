// The letter as one of the campaign's contacts would get it, while it is being written.

import { $, ask, Refusal } from "./common.js";

const place = $("#letter");
const form = $("#text");
const sample = $("#sample");
let asked = 0;

async function look() {
  const turn = ++asked;
  const said = { word: place.dataset.word, language: place.dataset.language, subject: form.subject.value, body: form.body.value, contact: Number(sample.value) };
  let seen = { subject: "", body: "", missing: [], flaw: "" };
  try {
    seen = await ask("POST", place.dataset.api, said);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    seen.flaw = refusal.message;
  }
  if (turn !== asked) return;
  $("#flaw").textContent = seen.flaw ?? "";
  $("#flaw").hidden = !seen.flaw;
  $("#missing").textContent = `${$("#missing").dataset.text} ${seen.missing.join(", ")}`;
  $("#missing").hidden = !seen.missing.length;
  if (seen.flaw) return;
  $("#subject").textContent = seen.subject;
  $("#body").textContent = seen.body;
}

let waiting = 0;
function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(look, 250);
}

if (sample) {
  form.addEventListener("input", soon);
  sample.addEventListener("change", look);
}
