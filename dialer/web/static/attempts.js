// Periods of the list of attempts: the reader's own clock in the fields, moments with a zone in the address.

import { $ } from "./common.js";

const form = $("#sought");

/** `2026-05-01T09:00` of this computer's clock, as a field for date and time wants it. */
function shown(moment) {
  const local = new Date(moment.getTime() - moment.getTimezoneOffset() * 60e3);
  return local.toISOString().slice(0, 16);
}

function setPeriod(since, until) {
  for (const [name, moment] of Object.entries({ since, until })) {
    form.elements[name].value = moment ? moment.toISOString() : "";
    $(`[data-moment-of="${name}"]`, form).value = moment ? shown(moment) : "";
  }
}

const BEGINNINGS = {
  hour: (now) => new Date(now.setMinutes(0, 0, 0)),
  today: (now) => new Date(now.setHours(0, 0, 0, 0)),
  week: (now) => new Date(now.setHours(0, 0, 0, 0) - 6 * 86400e3),
  ever: () => null,
};

for (const button of form.querySelectorAll("[data-period]")) {
  button.addEventListener("click", () => {
    setPeriod(BEGINNINGS[button.dataset.period](new Date()), null);
    form.requestSubmit();
  });
}

for (const field of form.querySelectorAll("[data-moment-of]")) {
  const hidden = form.elements[field.dataset.momentOf];
  if (hidden.value) field.value = shown(new Date(hidden.value));
  // Before htmx hears of the change: it sends what the hidden field says.
  field.addEventListener("change", () => (hidden.value = field.value ? new Date(field.value).toISOString() : ""), { capture: true });
}

// Operators and dispositions to choose from belong to the campaign: the whole page comes anew.
$("[data-reload]", form).addEventListener("change", (event) => {
  event.stopPropagation();
  for (const name of ["operator", "code"]) if (form.elements[name]) form.elements[name].value = "";
  form.submit();
});
