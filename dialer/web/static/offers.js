// A recording goes to the server as it is; what kind it is and whether it can be played is the server's word.

import { $, has, t } from "./common.js";

const form = $("#upload");

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const error = $(".error", form);
  const button = $("button", form);
  error.hidden = true;
  button.disabled = true;
  const name = encodeURIComponent(form.elements.name.value.trim());
  try {
    const answer = await fetch(`/api/v1/offers?name=${name}`, {
      method: "POST",
      headers: { "X-Dialer": "1", "Content-Type": "application/octet-stream" },
      body: form.elements.file.files[0],
    });
    if (answer.ok) {
      sessionStorage.setItem("said", t("form.done"));
      location.reload();
      return;
    }
    const { error: why } = await answer.json();
    error.textContent = has(`error.${why.code}`) ? t(`error.${why.code}`) : `${why.message}. ${why.remedy}`;
  } catch {
    error.textContent = t("error.no_answer");
  }
  error.hidden = false;
  button.disabled = false;
});
