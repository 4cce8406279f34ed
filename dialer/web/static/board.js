// The live board. The server owns the state: each message is the whole picture, nothing here adds to it.

import { $, ageS, ask, clock, el, everyTick, follow, has, icon, language, moment, number, serverNow, t } from "./common.js";

const ORDER = ["talking", "ringing", "ready", "wrap_up", "paused", "offline"];
const DARKER_AFTER_S = [60, 300]; // darker = longer
const STALE_S = 5;

// What a supervisor steers by; every number of the table is in the API.
const SHOWN = [
  "results_per_hour", "results", "connected", "attempts", "answer_rate", "contact_rate", "calls_per_closed_contact", "closed_contacts_per_hour",
  "talk", "wrap_up", "idle", "occupancy", "abandon_rate", "answer_to_voice_p50", "answer_to_voice_p99", "operator_hours",
];
const known = (await ask("GET", "/api/v1/kpi/definitions")).definitions;
const definitions = SHOWN.map((id) => known.find((definition) => definition.id === id)).filter(Boolean);
const campaignNames = new Map();

function show(board) {
  $("#board").removeAttribute("aria-busy");
  for (const campaign of board.campaigns) campaignNames.set(campaign.campaign_id, campaign.name);
  for (const name of ["talking", "ready", "wrap_up", "dialling", "waiting"]) {
    $(`#total-${name}`).textContent = number(board.totals[name]);
  }
  $("#total-waiting").closest(".tile").dataset.level = level(board.totals.waiting, [1, 5, 10, 15]);
  showSwitch(board);
  showAbandon(board);
  $("#alerts").replaceChildren(...board.alerts.map(alert).reverse());
  showOperators(board.operators);
  $("#campaigns").replaceChildren(...board.campaigns.map(campaign));
  showHour(board.hour, board.at);
  tick();
}

/** `09:15:02 bridge_failed <what>`, UTC, as a sentence. */
function alert(text) {
  const [, at, word, about] = /^(?:(\d\d:\d\d:\d\d) )?(\w+) ?(.*)$/.exec(text) ?? [];
  if (!has(`alert.${word}`)) return el("li", {}, text);
  return el("li", {}, t(`alert.${word}`), " ", el("small", {}, [at ? `${at} UTC` : "", about].filter(Boolean).join(" · ")));
}

const level = (value, steps) => steps.filter((step) => value >= step).length;

function showSwitch(board) {
  const state = !board.switch_up ? "down" : board.dialing ? "dialing" : "idle";
  const pill = $("#switch");
  pill.dataset.state = state;
  pill.textContent = t(`switch.${state}`, { name: board.switch });
  const why = board.stopped_because;
  if (why) pill.textContent += `: ${has(`stopped.${why}`) ? t(`stopped.${why}`) : why}`;
}

// Abandonment: of the campaign nearest to its limit, for a mean over different limits would hide it.

const rate = (campaign) => (campaign.answered ? campaign.abandoned / campaign.answered : 0);

function showAbandon(board) {
  const worst = [...board.campaigns]
    .filter((campaign) => campaign.answered)
    .sort((a, b) => rate(b) / (b.cap_permille || 1) - rate(a) / (a.cap_permille || 1))[0];
  $("#abandon-rate").textContent = worst ? `${number(rate(worst) * 100, 1)} %` : "–";
  $("#abandon-counts").textContent = worst
    ? [board.campaigns.length > 1 ? worst.name : "", abandonText(worst)].filter(Boolean).join(" · ")
    : t("abandon.none");
  fill($("#abandon-bar"), worst);
}

function abandonText(campaign) {
  const parts = [
    t("abandon.counts", { abandoned: number(campaign.abandoned), answered: number(campaign.answered) }),
    campaign.window_starts_at ? t("abandon.since", { at: moment(campaign.window_starts_at) }) : "",
    t("abandon.limit", { limit: number(campaign.cap_permille / 10, 1) }),
  ];
  parts.push(t(`budget.${campaign.budget_mode}`));
  if (campaign.owed) parts.push(t("budget.owed", { answers: number(campaign.owed) }));
  if (campaign.carried_answered) {
    parts.push(t("abandon.carried", { abandoned: number(campaign.carried_abandoned), answered: number(campaign.carried_answered) }));
  }
  return parts.filter(Boolean).join(" · ");
}

/** The bar's mark is the limit; it stands at two thirds. */
function fill(bar, campaign) {
  const share = campaign?.cap_permille ? (rate(campaign) * 1000) / campaign.cap_permille : 0;
  bar.style.width = `${Math.min(100, (share * 200) / 3)}%`;
  bar.dataset.level = share >= 1 ? "over" : share >= 0.8 ? "near" : "fine";
}

// Operators -------------------------------------------------------------------------

const tiles = new Map();

function showOperators(operators) {
  const sorted = [...operators].sort(
    (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || Date.parse(a.since) - Date.parse(b.since) || a.operator_id - b.operator_id,
  );
  const list = $("#operators");
  const present = new Set(sorted.map((operator) => operator.operator_id));
  for (const [id, tile] of tiles) {
    if (!present.has(id)) {
      tile.remove();
      tiles.delete(id);
    }
  }
  sorted.forEach((operator, place) => {
    const tile = operatorTile(operator);
    if (list.children[place] !== tile) list.insertBefore(tile, list.children[place] ?? null);
  });
  const counts = ORDER.map((state) => [state, operators.filter((operator) => operator.state === state).length]);
  $("#operator-counts").textContent = counts
    .filter(([, count]) => count)
    .map(([state, count]) => `${t(`state.${state}`)} ${count}`)
    .join(" · ");
  if (!operators.length) list.replaceChildren(el("li", { className: "empty" }, t("board.no_operators")));
  else $(".empty", list)?.remove();
}

function operatorTile(operator) {
  let tile = tiles.get(operator.operator_id);
  if (!tile) {
    tile = el(
      "li",
      { className: "operator" },
      el("span", { className: "name" }),
      el("span", { className: "icon" }),
      el("span", { className: "word" }),
      el("output", { className: "timer" }),
      el("small", { className: "more" }),
    );
    tiles.set(operator.operator_id, tile);
  }
  if (tile.dataset.state !== operator.state) {
    tile.dataset.state = operator.state;
    tile.className = `operator state-${operator.state}`;
    $(".icon", tile).replaceChildren(icon(operator.state));
    $(".word", tile).textContent = t(`state.${operator.state}`);
  }
  tile.dataset.since = operator.since;
  tile.dataset.until = operator.until ?? "";
  $(".name", tile).textContent = operator.name;
  $(".more", tile).textContent = [
    operator.seat,
    operator.reason ? (has(`pause.${operator.reason}`) ? t(`pause.${operator.reason}`) : operator.reason) : "",
    operator.campaign_id ? campaignNames.get(operator.campaign_id) : "",
    operator.pause_after_call ? t("operator.pause_after_call") : "",
  ]
    .filter(Boolean)
    .join(" · ");
  return tile;
}

// Campaigns ----------------------------------------------------------------------------

function campaign(view) {
  const bar = el("i");
  fill(bar, view);
  const facts = ["lines", "ringing", "waiting", "talking", "ready"].map((name) =>
    el("span", {}, el("b", {}, number(view[name])), ` ${t(`campaign.${name}`)}`),
  );
  return el(
    "li",
    { className: `campaign is-${view.state}` },
    el("h3", {}, view.name, " ", el("span", { className: "pill" }, t(`mode.${view.mode}`)), " ", el("span", { className: "pill", "data-state": view.state }, t(`campaign_state.${view.state}`))),
    el("p", { className: "sentence" }, view.sentence[language] ?? view.sentence.en ?? ""),
    view.trunk_off_since ? el("p", { className: "trunk-off" }, icon("offline"), " ", t("campaign.trunk_off", { trunk: view.trunk, at: moment(view.trunk_off_since, SECONDS) })) : "",
    el("p", { className: "facts" }, ...facts),
    el("p", { className: "abandon-line", title: t("abandon.formula") }, el("b", {}, view.answered ? `${number(rate(view) * 100, 1)} %` : "–"), ` ${abandonText(view)}`),
    el("span", { className: "limit" }, bar),
    changes(view),
  );
}

const SECONDS = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
const opened = new Set();

/** The rules that limited it lately, the newest first; what was opened stays open. */
function changes(view) {
  if (!view.changes.length) return "";
  const list = view.changes.map((change) =>
    el("li", {}, el("time", {}, moment(change.at, SECONDS)), " ", change.sentence[language] ?? change.sentence.en),
  );
  const details = el("details", { className: "changes", open: opened.has(view.campaign_id) }, el("summary", {}, t("campaign.changes")), el("ul", {}, ...list));
  details.addEventListener("toggle", () => (details.open ? opened.add(view.campaign_id) : opened.delete(view.campaign_id)));
  return details;
}

// Numbers of the hour ------------------------------------------------------------------------

function showHour(hour, at) {
  const start = new Date(Math.floor(Date.parse(at) / 3600e3) * 3600e3);
  $("#hour").textContent = t("board.since", { at: moment(start, { hour: "2-digit", minute: "2-digit", timeZoneName: "short" }) });
  $("#kpi").replaceChildren(
    ...definitions.map((definition) => {
      const value = hour?.values[definition.id];
      return el(
        "div",
        {},
        el("dt", {}, definition[`name_${language}`]),
        el("dd", {}, value === null || value === undefined ? "–" : inUnit(value, definition.unit)),
        el("small", {}, definition[`formula_${language}`]),
      );
    }),
  );
}

function inUnit(value, unit) {
  if (unit === "%") return `${number(value, 1)} %`;
  const digits = Number.isInteger(value) ? 0 : Math.abs(value) < 10 ? 2 : 1;
  return `${number(value, digits)}${has(`unit.${unit}`) ? ` ${t(`unit.${unit}`)}` : ""}`;
}

// Time goes on between two pictures -------------------------------------------------------------

function tick() {
  const now = serverNow();
  for (const tile of tiles.values()) {
    const inState = (now - Date.parse(tile.dataset.since)) / 1000;
    const left = tile.dataset.until ? (Date.parse(tile.dataset.until) - now) / 1000 : null;
    $(".timer", tile).textContent = left === null ? clock(inState) : `${clock(inState)} / −${clock(left)}`;
    tile.dataset.level = level(inState, DARKER_AFTER_S);
    tile.classList.toggle("late", left !== null && left <= 0);
  }
  const age = ageS();
  const known = Number.isFinite(age) && $("#board").getAttribute("aria-busy") !== "true";
  $("#age").textContent = known ? t("board.age", { seconds: number(age, 0) }) : "";
  $("#board").classList.toggle("stale", known && age > STALE_S);
}

follow("/api/v1/live", show);
everyTick(tick);
