// Leads: how long somebody still has to reach one, and lists that follow a choice at once.

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

function lasts(seconds) {
  const [unit, length] = UNITS.find(([, s]) => seconds >= s) ?? UNITS.at(-1);
  const style = { style: "unit", unit, unitDisplay: "short" };
  return new Intl.NumberFormat(document.documentElement.lang, style).format(Math.floor(seconds / length));
}

function count() {
  for (const place of document.querySelectorAll("[data-left]")) {
    const { left, before, after } = place.dataset;
    const seconds = (Date.parse(left) - Date.now()) / 1000;
    place.textContent = (seconds >= 0 ? before : after).replace("{time}", lasts(Math.abs(seconds)));
  }
}

count();
setInterval(count, 15_000);
document.addEventListener("htmx:afterSettle", count);
for (const field of document.querySelectorAll("[data-submit]")) field.addEventListener("change", () => field.form.submit());
