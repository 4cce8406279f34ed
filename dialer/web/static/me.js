// Setting up a second factor: the secret as a picture, a first code, the recovery codes, each shown once.

import { $, ask, confirmed, el, Refusal, t } from "./common.js";

/** Send what a form asks for; a refusal is shown in it. */
async function send(form, path, body) {
  const place = $(".error", form);
  place.hidden = true;
  try {
    return await ask("POST", `/api/v1/me/second-factor${path}`, body);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    place.textContent = refusal.message;
    place.hidden = false;
    $("input", form).select();
    return null;
  }
}

function showCodes(codes) {
  const place = $("#factor-codes");
  $("ol", place).replaceChildren(...codes.map((code) => el("li", {}, el("code", {}, code))));
  for (const other of place.parentElement.querySelectorAll(".factor-form, #factor-scan, details")) other.hidden = true;
  place.hidden = false;
  place.focus();
}

$("#factor-begin")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const begun = await send(form, "", { password: form.elements.password.value });
  if (!begun) return;
  form.hidden = true;
  $("#factor-qr").setAttribute("viewBox", `-4 -4 ${begun.side + 8} ${begun.side + 8}`);
  $("#factor-qr path").setAttribute("d", begun.picture);
  $("#factor-secret").textContent = begun.secret;
  $("#factor-link").href = begun.link;
  $("#factor-scan").hidden = false;
  $("#factor-confirm").elements.code.focus();
});

$("#factor-confirm")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const made = await send(form, "/confirm", { code: form.elements.code.value });
  if (made) showCodes(made.codes);
});

$("[data-factor]")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const what = event.submitter?.value ?? "codes";
  const code = form.elements.code.value;
  if (what === "remove" && (await confirmed(event.submitter.textContent, t("factor.ask_remove"), { danger: true })) === false) return;
  const answer = await send(form, `/${what}`, { code });
  if (!answer) return;
  if (what === "remove") location.reload();
  else showCodes(answer.codes);
});

$("#codes-print")?.addEventListener("click", () => print());
