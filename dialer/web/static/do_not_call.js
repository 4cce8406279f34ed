// A whole list of numbers: rehearsed first, so that nobody forbids what was not meant; then taken as it was rehearsed.

import { $, counted, el, number, Refusal, t } from "./common.js";
import { upload } from "./upload.js";

const SHOWN = 50;
/** What a row may become that is no fault of it. */
const FINE = ["added", "known", "repeated"];

/** Whom a list is for is asked only where it is for somebody. */
for (const form of document.querySelectorAll("form:has([data-scope])")) {
  const choose = () => {
    for (const label of form.querySelectorAll("[data-of]")) {
      label.hidden = label.dataset.of !== form.elements.scope.value;
      $("select", label).disabled = label.hidden;
    }
  };
  form.elements.scope.addEventListener("change", choose);
  choose();
}

const form = $("#list");
const verdict = $("#verdict");

async function send(rehearse) {
  const { file, scope, region } = form.elements;
  const query = new URLSearchParams({ scope: scope.value, name: file.files[0].name, rehearse });
  if (region.value) query.set("region", region.value.toUpperCase());
  const whose = form.elements[`${scope.value}_id`];
  if (whose) query.set(whose.name, whose.value);
  const bar = $("#sent");
  bar.hidden = false;
  bar.value = 0;
  try {
    return await upload(`/api/v1/do-not-call/files?${query}`, file.files[0], (percent) => {
      if (percent < 100) bar.value = percent;
      else bar.removeAttribute("value"); // it is there; the server reads it
    });
  } finally {
    bar.hidden = true;
  }
}

function show(verdicts) {
  const counts = {};
  for (const [, word] of verdicts) counts[word] = (counts[word] ?? 0) + 1;
  $("#counts").replaceChildren(...Object.entries(counts).map(([word, many]) => el("span", {}, `${t(`dnc_verdict.${word}`)} `, el("b", {}, number(many)))));
  const bad = verdicts.filter(([, word]) => !FINE.includes(word));
  $("#rejected").hidden = !bad.length;
  $("#rejected tbody").replaceChildren(
    ...bad.slice(0, SHOWN).map(([line, word]) => el("tr", {}, el("th", { scope: "row" }, number(line)), el("td", {}, t(`dnc_verdict.${word}`)))),
  );
  $("#unshown").hidden = bad.length <= SHOWN;
  $("#unshown").textContent = t("dnc_file.unshown", { count: number(bad.length - SHOWN) });
  const lines = [["line", "verdict"], ...verdicts].map((row) => row.join(",")).join("\r\n");
  URL.revokeObjectURL($("#reasons").href);
  $("#reasons").href = URL.createObjectURL(new Blob([lines], { type: "text/csv" }));
  $("#reasons").download = `${form.elements.file.files[0].name}.csv`;
  $("#take").textContent = `${t("dnc_file.take")}: ${counted("numbers_rows", counts.added ?? 0)}`;
  $("#take").hidden = !counts.added;
  verdict.hidden = false;
  verdict.focus();
}

async function once(button, work) {
  const error = $(".error", form);
  error.hidden = true;
  button.disabled = true;
  try {
    await work();
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    error.textContent = refusal.message;
    error.hidden = false;
  } finally {
    button.disabled = false;
  }
}

form?.addEventListener("change", () => {
  verdict.hidden = true; // another file, or for somebody else: what was said is not true of it
});
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  once($("button", form), async () => show((await send(true)).verdicts));
});
$("#take")?.addEventListener("click", (event) =>
  once(event.target, async () => {
    const { file, repeated } = await send(false);
    sessionStorage.setItem("said", repeated ? t("dnc_file.repeated") : t("dnc_file.done", { count: number(file.rows_added) }));
    location.reload();
  }),
);
