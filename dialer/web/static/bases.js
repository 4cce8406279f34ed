// Bases: upload a file, choose how it is read, rehearse, load, take back. The server renders every step; this only sends.

import { $, ask, clock, number, t } from "./common.js";
import { upload } from "./upload.js";

const POLL_MS = 500;
const MAX_ERRORS = 20;

function refuse(refusal) {
  $("#error").textContent = refusal.message;
  $("#error").hidden = false;
  $("#error").scrollIntoView({ block: "nearest" });
}

/** Do it once, with the button off meanwhile. */
async function once(button, work) {
  button.disabled = true;
  try {
    await work();
  } catch (refusal) {
    refuse(refusal);
  } finally {
    button.disabled = false;
  }
}

// Upload ------------------------------------------------------------------------

$("#upload")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  once($("button", form), async () => {
    const file = form.file.files[0];
    const bar = $("#sent");
    bar.hidden = false;
    const query = new URLSearchParams({ campaign: form.dataset.campaign, name: file.name });
    const answer = await upload(`/api/v1/bases/files?${query}`, file, (percent) => {
      bar.value = percent;
    });
    location.assign(`/bases/files/${answer.file.id}`);
  });
});

$("#campaign select")?.addEventListener("change", (event) => event.target.form.submit());

// The plan ------------------------------------------------------------------------

const page = $("#main[data-file]");
const api = page && `/api/v1/bases/files/${page.dataset.file}`;

/** What the form says; fields that shape the file itself are asked for alone, for they change the columns. */
function chosen(form, all) {
  const values = {};
  for (const field of form.querySelectorAll("[data-look]")) {
    values[field.name] = field.type === "number" ? Number(field.value) : field.value;
  }
  if (!all) return values;
  for (const name of ["in_file", "in_campaign", "elsewhere"]) values[name] = form[name].value;
  values.region = form.region.value || null;
  values.zone = form.zone.value.trim() || null;
  const targets = [...form.querySelectorAll("[name=target]")];
  if (form.template?.value) values.template = form.template.value;
  else values.targets = targets.map((select) => select.value);
  return values;
}

const form = $("#plan");
form?.addEventListener("change", async (event) => {
  if (event.target.dataset.look === undefined && event.target.name !== "template") return;
  try {
    if (event.target.name === "template") await ask("POST", `${api}/look`, { template: event.target.value });
    else await ask("POST", `${api}/look`, chosen(form, false));
    location.assign(location.pathname);
  } catch (refusal) {
    refuse(refusal);
  }
});
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  once($("#rehearse"), async () => {
    await ask("POST", `${api}/rehearse`, chosen(form, true));
    location.assign(location.pathname);
  });
});
$("#save-template")?.addEventListener("click", (event) =>
  once(event.target, async () => {
    const name = form.save_as.value.trim();
    if (!name) return form.save_as.focus();
    await ask("POST", "/api/v1/bases/templates", { name, file: Number(page.dataset.file), targets: chosen(form, true).targets });
    $("#saved").textContent = t("plan.template_saved");
  }),
);
$("#load")?.addEventListener("click", (event) =>
  once(event.target, async () => {
    await ask("POST", `${api}/load`, {});
    location.reload();
  }),
);

for (const button of document.querySelectorAll("[data-back]")) {
  button.addEventListener("click", () => {
    if (!confirm(button.dataset.ask)) return;
    once(button, async () => {
      await ask("POST", `/api/v1/bases/${button.dataset.base}/${button.dataset.back}`, {});
      location.reload();
    });
  });
}

// Progress ------------------------------------------------------------------------

/** Watch until it is done; whoever opens the page later sees the same. */
async function watch() {
  let errors = 0;
  for (;;) {
    await new Promise((wake) => setTimeout(wake, POLL_MS));
    try {
      const { file } = await ask("GET", api);
      errors = 0;
      if (!file.busy) return location.assign(location.pathname);
      const { what, done, of, rate, left_s: left } = file.progress;
      if (!what) continue;
      $("#progress").value = of ? (100 * done) / of : 0;
      const unit = what === "judge" ? t("progress.bytes", { rate: number(rate / 1e6, 1) }) : t("progress.rows", { rate: number(rate) });
      $("#progress-text").textContent = [t(`progress.${what}`), rate ? unit : "", left === null ? "" : t("progress.left", { left: clock(left) })]
        .filter(Boolean)
        .join(" · ");
    } catch (refusal) {
      errors += 1;
      if (errors > MAX_ERRORS) return refuse(refusal);
    }
  }
}

if (page?.dataset.busy === "1") watch();
