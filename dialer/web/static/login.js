import { $, ask } from "./common.js";

$("#login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const button = $("button", form);
  button.disabled = true;
  try {
    await ask("POST", "/api/v1/login", { login: form.login.value.trim(), password: form.password.value });
    location.assign("/");
  } catch (refusal) {
    $("#error").textContent = refusal.message;
    $("#error").hidden = false;
    form.password.select();
  } finally {
    button.disabled = false;
  }
});
