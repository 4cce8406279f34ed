import { $, ask } from "./common.js";

$("#login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const button = $("button", form);
  button.disabled = true;
  try {
    const code = form.code.value.trim();
    await ask("POST", "/api/v1/login", { login: form.login.value.trim(), password: form.password.value, ...(code ? { code } : {}) });
    location.assign("/");
  } catch (refusal) {
    const asksCode = refusal.code.endsWith("_code") || refusal.code === "login.code_needed";
    $("#error").textContent = refusal.message;
    $("#error").hidden = false;
    if (asksCode) $("#code-field").hidden = false;
    (asksCode ? form.code : form.password).select();
  } finally {
    button.disabled = false;
  }
});
