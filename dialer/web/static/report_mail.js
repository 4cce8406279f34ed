// Weekdays or a day of the month: the form shows and says only what was chosen.

for (const choice of document.querySelectorAll("[data-days]")) {
  choice.addEventListener("change", () => {
    for (const part of choice.form.querySelectorAll("[data-how]")) {
      part.hidden = part.dataset.how !== choice.value;
      for (const field of part.querySelectorAll("input")) field.disabled = part.hidden;
    }
  });
}
