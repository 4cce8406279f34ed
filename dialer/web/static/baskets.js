// The editor of baskets: all of them are saved at once, and what a change would move is said before it is saved.

import { $, ask, Refusal, t } from "./common.js";

const form = $("#baskets");
const list = $("#list");
const path = form.dataset.path;
const BARE = ["filled", "empty"];
let asked = 0;
let waiting = 0;

function said(card) {
  const basket = { code: card.dataset.code };
  for (const field of card.querySelectorAll("[data-field]")) {
    const text = field.value.trim();
    const { field: name } = field.dataset;
    if (name === "owner") basket.owner = text ? Number(text) : null;
    else if (name === "contact_within_hours") basket[name] = text ? Number(text) : null;
    else if (name === "warmth" || name === "accuracy") basket[name] = text || null;
    else basket[name] = text;
  }
  basket.conditions = [...card.querySelectorAll(".condition")].map((row) => {
    const of = (name) => $(`[data-of=${name}]`, row).value.trim();
    return { field: of("field"), test: of("test"), ...(of("field") === "attribute" ? { name: of("name") } : {}), ...(BARE.includes(of("test")) ? {} : { value: of("value") }) };
  });
  return basket;
}

const body = () => ({ baskets: [...list.children].map(said) });

/** An attribute has a name, and some tests compare with nothing. */
function fit(row) {
  $("[data-of=name]", row).hidden = $("[data-of=field]", row).value !== "attribute";
  $("[data-of=value]", row).hidden = BARE.includes($("[data-of=test]", row).value);
}

function showEnds() {
  const own = [...list.children].filter((card) => card.dataset.code !== "common");
  for (const card of own) {
    $("[data-move='-1']", card).hidden = card === own[0];
    $("[data-move='1']", card).hidden = card === own.at(-1);
  }
}

function fail(text) {
  const place = $(".error", form);
  place.textContent = text ?? "";
  place.hidden = !text;
}

/** What these rules would move, if they were to. */
async function look() {
  const turn = ++asked;
  const place = $("#would");
  let answer = null;
  try {
    answer = await ask("POST", `${path}/rehearsal`, body());
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
  }
  if (turn !== asked) return;
  $("#moves").hidden = !answer?.leads;
  if (!answer?.leads) form.move.checked = false;
  const some = place.dataset.some.replace("{count}", answer?.leads);
  place.textContent = !answer ? "" : answer.leads ? some : place.dataset.none;
}

function changed() {
  fail(null);
  clearTimeout(waiting);
  waiting = setTimeout(look, 300);
}

const ACTS = {
  move(card, button) {
    if (button.dataset.move === "-1") card.previousElementSibling.before(card);
    else card.nextElementSibling.after(card);
    showEnds();
    (button.hidden ? $("[data-move]:not([hidden])", card) : button)?.focus();
  },
  add(card, button) {
    if (button.dataset.add === "condition") {
      const places = $(".conditions", card);
      places.append($("#new-condition").content.cloneNode(true));
      $("[data-of=field]", places.lastElementChild).focus();
      return;
    }
    list.lastElementChild.before($("#new-basket").content.cloneNode(true));
    $("[data-field]", list.lastElementChild.previousElementSibling).focus();
    showEnds();
  },
  drop(card, button) {
    if (button.dataset.drop === "basket") card.remove();
    else button.closest(".condition").remove();
    showEnds();
  },
};

if (form.dataset.may !== undefined) {
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move], [data-add], [data-drop]");
    if (!button) return;
    const act = ["move", "add", "drop"].find((name) => name in button.dataset);
    ACTS[act](button.closest(".basket"), button);
    changed();
  });
  form.addEventListener("input", (event) => {
    const row = event.target.closest(".condition");
    if (row) fit(row);
    if (event.target.name !== "move") changed();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const empty = [...list.querySelectorAll("[required]")].find((field) => !field.value.trim());
    if (empty) {
      empty.setAttribute("aria-invalid", "true");
      empty.focus();
      return;
    }
    event.submitter.disabled = true;
    try {
      await ask("PUT", path, { ...body(), move: form.move.checked });
      sessionStorage.setItem("said", t("form.done"));
      location.reload();
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      fail(refusal.message);
    } finally {
      event.submitter.disabled = false;
    }
  });
  showEnds();
}
