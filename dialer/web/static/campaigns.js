// Campaign tiles of the board: why it dials so, the last hour, what is left, and the controls. A tile lives as long as its
// campaign is on the board, so that the focus and what was opened stay.

import { $, ask, attempt, confirmed, el, has, icon, language, moment, number, Refusal, t, toast } from "./common.js";
import { factsOf } from "./factlinks.js";
import { abandonText, fill, rate } from "./limit.js";
import { spark } from "./spark.js";

const SECONDS = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
const tiles = new Map();

/** Show the campaigns of a board. */
export function showCampaigns(board) {
  const overviews = new Map(board.overview.campaigns.map((one) => [one.steering.campaign_id, one]));
  const list = $("#campaigns");
  for (const [id, tile] of tiles) {
    if (!board.campaigns.some((view) => view.campaign_id === id)) {
      tile.place.remove();
      tiles.delete(id);
    }
  }
  board.campaigns.forEach((view, place) => {
    const tile = tiles.get(view.campaign_id) ?? made(view.campaign_id);
    if (list.children[place] !== tile.place) list.insertBefore(tile.place, list.children[place] ?? null);
    update(tile, view, overviews.get(view.campaign_id), board.overview.at);
  });
}

function made(id) {
  const part = (tag, className) => el(tag, { className });
  const tile = {
    head: part("h3", ""),
    sentence: part("p", "sentence"),
    off: part("p", "trunk-off"),
    facts: part("p", "facts"),
    left: part("p", "facts left"),
    line: part("p", "abandon-line"),
    bar: el("i"),
    spark: part("div", "spark"),
    changes: part("ul", ""),
    who: part("small", "who-changed"),
    steer: el("button", { type: "button" }, t("board.steer")),
    name: el("a", { href: `/campaigns/${id}` }),
    mode: part("span", "pill"),
    state: part("span", "pill"),
  };
  tile.counts = new Map(["lines", "ringing", "waiting", "talking", "ready"].map((name) => [name, counted(id, name)]));
  tile.facts.append(...tile.counts.values());
  tile.leftText = el("a", { href: `/campaigns/${id}/ahead` });
  tile.left.append(tile.leftText);
  tile.lost = el("a", {}, el("b", {}));
  tile.lostText = el("span", {});
  tile.line.append(tile.lost, tile.lostText);
  tile.head.append(tile.name, " ", tile.mode, " ", tile.state, el("span", { className: "grow" }), tile.steer);
  tile.line.title = t("abandon.formula");
  const bar = el("span", { className: "limit" }, tile.bar);
  tile.details = el("details", { className: "changes" }, el("summary", {}, t("campaign.changes")), tile.changes);
  tile.place = el("li", { className: "campaign" }, tile.head, tile.sentence, tile.off, tile.facts, tile.spark, tile.left, tile.line, bar, tile.details, tile.who);
  tile.steer.addEventListener("click", () => openSteer(tile));
  tiles.set(id, tile);
  return tile;
}

const NOW = { lines: "dialling", ringing: "dialling", waiting: "waiting", talking: "talking" };

/** A number of this moment, which leads to its calls; it stays the same element, so that the focus stays on it. */
function counted(campaign, name) {
  const tag = NOW[name] ? "a" : "span";
  return el(tag, NOW[name] ? { href: factsOf({ campaign, now: NOW[name] }) } : {}, el("b", {}), ` ${t(`campaign.${name}`)}`);
}

function update(tile, view, overview, at) {
  Object.assign(tile, { view, overview });
  tile.place.className = `campaign is-${view.state}`;
  tile.name.textContent = view.name;
  tile.mode.textContent = t(`mode.${view.mode}`);
  tile.state.textContent = t(`campaign_state.${view.state}`);
  tile.state.dataset.state = view.state;
  const sentence = view.sentence[language] ?? view.sentence.en ?? "";
  if (tile.sentence.textContent !== sentence) tile.sentence.textContent = sentence;
  tile.off.hidden = !view.trunk_off_since;
  if (view.trunk_off_since) {
    tile.off.replaceChildren(icon("offline"), ` ${t("campaign.trunk_off", { trunk: view.trunk, at: moment(view.trunk_off_since, SECONDS) })}`);
  }
  for (const [name, place] of tile.counts) $("b", place).textContent = number(view[name]);
  tile.lost.href = factsOf({ campaign: view.campaign_id, fact: "abandoned", since: view.window_starts_at });
  $("b", tile.lost).textContent = view.answered ? `${number(rate(view) * 100, 1)} %` : "–";
  tile.lostText.textContent = ` ${abandonText(view)}`;
  fill(tile.bar, view);
  tile.details.hidden = !view.changes.length;
  tile.changes.replaceChildren(
    ...view.changes.map((change) => el("li", {}, el("time", {}, moment(change.at, SECONDS)), " ", change.sentence[language] ?? change.sentence.en)),
  );
  if (overview) showOverview(tile, overview, at);
}

function showOverview(tile, overview, at) {
  const { steering } = overview;
  spark(tile, overview, at);
  tile.leftText.textContent = leftText(overview, at);
  tile.left.hidden = !tile.leftText.textContent;
  tile.who.textContent = steering.changed_at
    ? t("board.changed", { who: steering.changed_by || t("board.service"), at: moment(steering.changed_at) })
    : "";
}

/** One end of the base: the forecast's, with its interval and its age; without one the plain pace, called so. */
function leftText({ left, hours_left: hours, ends, forecast_at: made }, at) {
  if (left === null) return "";
  if (left === 0) return t("board.ended");
  const count = t("board.left", { count: number(left) });
  if (ends) return `${count}, ${endText(ends)}, ${t("board.forecast_age", { age: minutes((Date.parse(at) - Date.parse(made)) / 60e3) })}`;
  return `${count}, ${hours === null ? t("board.ends_unknown") : t("board.ends", { hours: number(hours, hours < 10 ? 1 : 0) })}`;
}

const END = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };

function endText({ low, high }) {
  if (!low) return t("board.ends_far");
  if (!high) return t("board.ends_after", { low: moment(low, END) });
  return t("board.ends_between", { low: moment(low, END), high: moment(high, END) });
}

const minutes = (count) => new Intl.NumberFormat(language, { style: "unit", unit: "minute", unitDisplay: "short" }).format(Math.max(0, Math.round(count)));

// Steering -----------------------------------------------------------------------

const dialog = $("#steer");
const form = $("form", dialog);
const error = $(".error", form);
let steered = null;

function openSteer(tile) {
  const { view, overview } = tile;
  if (!overview) return;
  steered = tile;
  const { target_permille: target, caution, max_lines_per_operator: lines } = overview.steering;
  $("#steer-title").textContent = `${t("board.steer")}: ${view.name}`;
  $("#steer-who").textContent = tile.who.textContent;
  form.elements.target.value = target === null ? "" : String(target / 10);
  form.elements.cap.value = String(overview.steering.cap_permille / 10);
  form.elements.mode.value = overview.steering.budget_mode;
  // Whoever may not loosen it is not asked whether to.
  $("[data-mode-field]", form).hidden = form.dataset.admin === undefined && overview.steering.budget_mode === "strict";
  form.elements.caution.value = Math.round(caution * 100) / 100;
  form.elements.lines.value = Math.round(lines * 100) / 100;
  for (const button of form.querySelectorAll("[data-state]")) button.hidden = button.dataset.state === view.state || (button.dataset.state === "paused" && view.state !== "running");
  error.hidden = true;
  dialog.showModal();
}

form.addEventListener("submit", async (event) => {
  if (event.submitter?.id !== "steer-apply") return;
  event.preventDefault();
  const said = form.elements.target.value.trim().replace(",", ".");
  const body = {
    target_permille: said === "" ? null : Math.round(Number(said) * 10),
    caution: Number(form.elements.caution.value),
    max_lines_per_operator: Number(form.elements.lines.value),
    cap_permille: Math.round(Number(form.elements.cap.value.replace(",", ".")) * 10),
    budget_mode: form.elements.mode.value,
  };
  try {
    await ask("PATCH", `/api/v1/campaigns/${steered.view.campaign_id}/pacing`, body);
    dialog.close();
    toast(t("board.steer.applied", { name: steered.view.name }));
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    error.textContent = refusal.message;
    error.hidden = false;
  }
});

for (const button of form.querySelectorAll("[data-state]")) {
  button.addEventListener("click", async () => {
    const { state } = button.dataset;
    const { campaign_id: id, name } = steered.view;
    dialog.close();
    const word = state === "running" ? "run" : state === "paused" ? "pause" : "stop";
    const question = has(`board.ask_${word}`) ? t(`board.ask_${word}`, { name }) : "";
    if (question && (await confirmed(`${t(`board.${word}`)}: ${name}`, question, { danger: word === "stop", yes: t(`board.${word}`) })) === false) return;
    await attempt(() => ask("POST", `/api/v1/campaigns/${id}/state`, { state }), t("board.steer.applied", { name }));
  });
}
