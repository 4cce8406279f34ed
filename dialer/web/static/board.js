// The live board. The server owns the state: the first message is the whole picture, each later one what changed in it.

import { alarm } from "./alerts.js";
import { showCampaigns } from "./campaigns.js";
import { $, ageS, ask, clock, el, everyTick, follow, has, icon, language, moment, number, serverNow, t, typing } from "./common.js";
import { factsOf, factsOfNumber } from "./factlinks.js";
import { abandonText, fill, rate } from "./limit.js";
import { heardBy, showListenings } from "./listening.js";
import { openRow } from "./row.js";

const ORDER = ["talking", "ringing", "preview", "ready", "wrap_up", "paused", "offline"];
const DARKER_AFTER_S = [60, 300]; // darker = longer
const STALE_S = 5;
const OLD_S = 15; // they are read every 5 s

// What a supervisor steers by; every number of the table is in the API.
const SHOWN = [
  "results_per_hour", "results", "leads", "connected", "attempts", "answer_rate", "contact_rate", "calls_per_closed_contact", "closed_contacts_per_hour",
  "talk", "wrap_up", "idle", "occupancy", "abandon_rate", "answer_to_voice_p50", "answer_to_voice_p99", "operator_hours",
];
const known = (await ask("GET", "/api/v1/kpi/definitions")).definitions;
const definitions = SHOWN.map((id) => known.find((definition) => definition.id === id)).filter(Boolean);
const campaignNames = new Map();
const listenersShown = new Map();

const rows = { operators: new Map(), campaigns: new Map() };
const idOf = { operators: "operator_id", campaigns: "campaign_id" };
let picture = {};

/** The picture after this message. */
function merged(message) {
  if (message.whole) {
    picture = {};
    for (const list of Object.values(rows)) list.clear();
  }
  for (const [name, list] of Object.entries(rows)) {
    for (const row of message[name] ?? []) list.set(row[idOf[name]], row);
    for (const id of message[`${name}_gone`] ?? []) list.delete(id);
  }
  picture = { ...picture, ...message, operators: [...rows.operators.values()], campaigns: [...rows.campaigns.values()] };
  return picture;
}

function show(board) {
  $("#main").removeAttribute("aria-busy");
  for (const campaign of board.campaigns) {
    campaignNames.set(campaign.campaign_id, campaign.name);
    listenersShown.set(campaign.campaign_id, campaign.listening_shown);
  }
  for (const name of ["talking", "ready", "wrap_up", "dialling", "waiting"]) {
    $(`#total-${name}`).textContent = number(board.totals[name]);
  }
  $("#total-waiting").closest(".tile").dataset.level = level(board.totals.waiting, [1, 5, 10, 15]);
  showSwitch(board);
  showAbandon(board);
  showAlerts(board);
  showListenings(board);
  showOperators(board.operators);
  showCampaigns(board);
  showPromises(board.overview.campaigns);
  showTrunks(board);
  showHour(board.overview.hour, board.at);
  tick();
}

/** The last moment at which a clock in UTC showed this, on the reader's clock. */
function readersTime(clockText) {
  const [hours, minutes, seconds] = clockText.split(":").map(Number);
  const at = new Date(serverNow()).setUTCHours(hours, minutes, seconds, 0);
  const last = at > serverNow() + 60_000 ? at - 86_400_000 : at;
  return moment(last, { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
}

/** `09:15:02 bridge_failed <what>`, UTC, as a sentence. */
function alert(text) {
  const [, at, word, about] = /^(?:(\d\d:\d\d:\d\d) )?(\w+) ?(.*)$/.exec(text) ?? [];
  if (!has(`alert.${word}`)) return el("li", {}, text);
  return el("li", {}, t(`alert.${word}`), " ", el("small", {}, [at ? readersTime(at) : "", about].filter(Boolean).join(" · ")));
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

function showAbandon(board) {
  const worst = [...board.campaigns]
    .filter((campaign) => campaign.answered)
    .sort((a, b) => rate(b) / (b.cap_permille || 1) - rate(a) / (a.cap_permille || 1))[0];
  $("#abandon-rate").textContent = worst ? `${number(rate(worst) * 100, 1)} %` : "–";
  $("#abandon-counts").textContent = worst
    ? [board.campaigns.length > 1 ? worst.name : "", abandonText(worst)].filter(Boolean).join(" · ")
    : t("abandon.none");
  fill($("#abandon-bar"), worst);
  $("#abandon").href = worst ? factsOf({ campaign: worst.campaign_id, fact: "abandoned", since: worst.window_starts_at }) : "/attempts?fact=abandoned";
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
  filterOperators();
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
      el("a", { className: "name", href: `/attempts?operator=${operator.operator_id}` }),
      el("span", { className: "icon" }),
      el("span", { className: "word" }),
      el("output", { className: "timer" }),
      el("small", { className: "more" }),
      el("small", { className: "heard" }),
    );
    const button = el("button", { type: "button", className: "dots" }, "⋯");
    button.addEventListener("click", () => {
      const present = rows.operators.get(operator.operator_id);
      const talks = present?.state === "talking" ? listenersShown.get(present.campaign_id) ?? true : null;
      openRow(operator.operator_id, $(".name", tile).textContent, talks);
    });
    tile.append(button);
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
  const heard = heardBy(operator.operator_id);
  $(".heard", tile).textContent = heard && `🎧 ${heard}`;
  $(".dots", tile).setAttribute("aria-label", t("row.do", { name: operator.name }));
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

/** The tiles of ready and wrap-up leave only these operators in the list, until they are clicked again. */
function filterOperators() {
  const wanted = location.hash.slice(1);
  $("#operators").dataset.only = ORDER.includes(wanted) ? wanted : "";
  for (const tile of document.querySelectorAll("a.tile[data-state]")) {
    const on = tile.dataset.state === wanted;
    tile.classList.toggle("chosen", on);
    tile.href = on ? "#operators" : `#${tile.dataset.state}`;
  }
}

addEventListener("hashchange", filterOperators);

// Promises and trunks ----------------------------------------------------------------------

function showPromises(campaigns) {
  const sum = (name) => campaigns.reduce((total, one) => total + one[name], 0);
  const late = sum("callbacks_late");
  $("#callbacks-due").textContent = number(sum("callbacks_due"));
  $("#callbacks-late").textContent = number(late);
  $("#callbacks-late").parentElement.classList.toggle("late", late > 0);
  const urgent = sum("callbacks_urgent");
  $("#callbacks-urgent").textContent = number(urgent);
  $("#callbacks-urgent").parentElement.classList.toggle("late", urgent > 0);
}

function showTrunks(board) {
  const off = new Map(board.campaigns.filter((one) => one.trunk_off_since).map((one) => [one.trunk, one.trunk_off_since]));
  $("#trunks").replaceChildren(
    ...board.overview.trunks.map((trunk) => {
      const bar = el("i");
      const share = trunk.lines / trunk.max_channels;
      bar.style.width = `${Math.min(100, share * 100)}%`;
      bar.dataset.level = share >= 1 ? "over" : share >= 0.8 ? "near" : "fine";
      const since = off.get(trunk.name);
      return el(
        "li",
        { className: since ? "is-off" : "" },
        el("strong", {}, trunk.name),
        el("span", {}, since ? `! ${t("campaign.trunk_off", { trunk: trunk.name, at: moment(since) })}` : t("board.trunk", { lines: number(trunk.lines), channels: number(trunk.max_channels) })),
        el("span", { className: "limit plain" }, bar),
      );
    }),
  );
}

// What wants to be seen ----------------------------------------------------------------------

function showAlerts(board) {
  $("#alerts").replaceChildren(...board.alerts.map(alert).reverse());
  const late = board.overview.campaigns.some((one) => one.callbacks_late);
  const missed = board.overview.campaigns.some((one) => one.callbacks_urgent);
  alarm([...board.alerts, late ? "callbacks late" : "", missed ? "return call missed" : "", board.switch_up ? "" : "switch down"].filter(Boolean));
}

// Numbers of the hour ------------------------------------------------------------------------

let hourShown = null;

function showHour(hour, at) {
  const start = new Date(Math.floor(Date.parse(at) / 3600e3) * 3600e3);
  if (hourShown?.hour === hour && hourShown.start === start.getTime()) return;
  hourShown = { hour, start: start.getTime() };
  $("#hour").textContent = t("board.since", { at: moment(start, { hour: "2-digit", minute: "2-digit", timeZoneName: "short" }) });
  $("#kpi").replaceChildren(
    ...definitions.map((definition) => {
      const value = hour?.values[definition.id];
      return el(
        "div",
        {},
        el("dt", {}, definition[`name_${language}`]),
        el("dd", {}, opened(definition.id, value === null || value === undefined ? "–" : inUnit(value, definition.unit), start)),
        el("dd", { className: "formula" }, definition[`formula_${language}`]),
      );
    }),
  );
}

/** A number that leads to its attempts of this hour, if it counts any. */
function opened(id, text, start) {
  const href = factsOfNumber(id, { since: start.toISOString() });
  return href ? el("a", { href }, text) : text;
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
    $(".timer", tile).textContent = left === null || left < 0 ? clock(inState) : `${clock(inState)} / −${clock(left)}`;
    tile.dataset.level = level(inState, DARKER_AFTER_S);
    tile.classList.toggle("late", left !== null && left <= 0);
  }
  const age = ageS();
  const known = Number.isFinite(age) && $("#main").getAttribute("aria-busy") !== "true";
  $("#age").textContent = known ? t("board.age", { seconds: number(age, 0) }) : "";
  $("#main").classList.toggle("stale", known && age > STALE_S);
  // Numbers from the database have an age of their own: it may be away while the engine goes on.
  const read = picture.overview?.at ? (now - Date.parse(picture.overview.at)) / 1000 : null;
  $("#main").classList.toggle("old-numbers", read !== null && read > OLD_S);
  $("#read").textContent = read !== null && read > OLD_S ? `! ${t("board.age", { seconds: number(read, 0) })}` : "";
}

follow("/api/v1/live", (message) => show(merged(message)));
everyTick(tick);

// For the wall: no bar, large, high contrast; the address keeps it, so that a screen comes back by itself.

const wall = $("#wall");

function setWall(on) {
  document.body.classList.toggle("wall", on);
  wall.setAttribute("aria-pressed", String(on));
  wall.textContent = t(on ? "board.wall.off" : "board.wall");
  history.replaceState(null, "", on ? "?wall" : location.pathname);
  if (on && !document.fullscreenElement) document.documentElement.requestFullscreen?.().catch(() => {});
  if (!on && document.fullscreenElement) document.exitFullscreen();
}

wall.addEventListener("click", () => setWall(!document.body.classList.contains("wall")));
if (new URLSearchParams(location.search).has("wall")) setWall(true);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing()) return;
  if (event.key === "w") wall.click();
  if (event.key === "m") $("#sound").click();
});
