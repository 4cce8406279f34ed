// What lies ahead of a campaign: ask for a forecast, wait for it, draw it. Nobody waits on a page that is closed.

import { $, Refusal, ask, el, language, moment, number, serverNow } from "./common.js";

const place = $("#ahead");
const path = `/api/v1/campaigns/${place.dataset.campaign}/forecast`;
const form = $("#assumed");
const said = new Map([...document.querySelectorAll("#texts li")].map((one) => [one.dataset.id, one.textContent]));
const OLD_S = 600;
const POLL_MS = 1000;
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [460, 220, 44, 44, 12, 24];
let shown = null;
let waiting = 0;

const say = (id, values = {}) => (said.get(id) ?? id).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const minutes = (value) => `${String(Math.floor(value / 60)).padStart(2, "0")}:${String(value % 60).padStart(2, "0")}`;
const signed = (value) => (value > 0 ? `+${number(value)}` : number(value));

function fails(text) {
  const error = $("#ahead-error");
  error.textContent = text;
  error.hidden = !text;
}

async function begin(assumed = {}) {
  fails("");
  try {
    show(await ask("POST", path, assumed));
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    fails(refusal.message);
  }
}

async function look() {
  try {
    show(await ask("GET", path));
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    fails(refusal.message);
  }
}

function show(answer) {
  const running = answer.state === "running";
  $("#playing").hidden = !running;
  if (running) {
    $("#progress").max = Math.max(1, answer.of);
    $("#progress").value = answer.done;
    $("#progress-text").textContent = answer.done ? say("playing") : say("waits");
  }
  clearTimeout(waiting);
  if (running) waiting = setTimeout(look, POLL_MS);
  if (answer.state === "failed") fails(say(`error.${answer.error}`));
  const { forecast } = answer;
  if (forecast && forecast.at !== shown?.at) draw(forecast);
  const old = !forecast || (serverNow() - Date.parse(forecast.at)) / 1000 > OLD_S;
  if (!running && answer.state !== "failed" && old && place.dataset.leads !== undefined && !shown) begin();
  age();
}

function age() {
  if (shown) $("#age").textContent = say("made_at", { at: moment(shown.at), minutes: number(Math.max(0, Math.round((serverNow() - Date.parse(shown.at)) / 60000))) });
}

function draw(forecast) {
  shown = forecast;
  $("#rehearsal").hidden = !forecast.rehearsal;
  $("#sentences").replaceChildren(...forecast.sentences.map((one) => el("li", {}, one[language])));
  for (const id of ["fans", "as-table"]) $(`#${id}`).hidden = false;
  fan($("#fan-results"), forecast, "results");
  fan($("#fan-left"), forecast, "left");
  $("#points").replaceChildren(...forecast.fan.map(point(forecast.zone)));
  $("#others").hidden = !forecast.plans.length;
  $("#plans").replaceChildren(...forecast.plans.map(plan));
  madeOf(forecast.made_of);
}

const hour = (at, zone) => moment(at, { hour: "2-digit", minute: "2-digit" }, zone);

function point(zone) {
  return (one) => row("as-table", hour(one.at, zone), [...one.results, ...one.left].map((value) => number(value)));
}

function plan(one) {
  const name = say(`plan.${one.plan}`, { change: Math.abs(one.change) });
  const cells = [one.results, one.left].flatMap((spread) => [signed(spread.middle), `${signed(spread.low)} ${say("to")} ${signed(spread.high)}`]);
  return row("others", name, cells);
}

/** A row of a table; on a narrow screen each cell stands beside the head of its column. */
function row(id, name, cells) {
  const heads = [...document.querySelectorAll(`#${id} thead th`)].slice(1).map((head) => head.textContent);
  return el("tr", {}, el("th", { scope: "row" }, name), ...cells.map((text, i) => el("td", { className: "number", "data-label": heads[i] }, text)));
}

function madeOf(of) {
  const values = {
    contacts: number(of.contacts),
    operators: number(of.operators),
    answered: number(of.answer_rate * 100, 1),
    results: number(of.result_rate * 100, 1),
    talk: number(of.talk_s),
    begins: minutes(of.begins),
    ends: minutes(of.ends),
    attempts: number(of.attempts_seen),
    conversations: number(of.conversations_seen),
  };
  $("#made-of").textContent = [say("made", values), say(of.work_seen ? "work_seen" : "work_usual", values), say("seen", values), say(`source.${of.source}`)].join(" ");
  const found = { operators: of.operators, begins: minutes(of.begins % 1440), ends: minutes(of.ends % 1440), answer_rate: Math.round(of.answer_rate * 1000) / 10, result_rate: Math.round(of.result_rate * 1000) / 10, talk_s: Math.round(of.talk_s) };
  for (const [name, value] of Object.entries(found)) {
    const input = form.elements[name];
    if (document.activeElement === input) continue;
    input.value = input.defaultValue = value;
    input.classList.toggle("is-assumed", of.assumed.includes(name));
  }
}

// The fan ------------------------------------------------------------------------------

function svg(tag, properties, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

function fan(where, { fan: points, zone }, name) {
  const times = points.map((one) => Date.parse(one.at));
  const most = Math.max(1, ...points.map((one) => one[name][2]));
  const x = (at) => LEFT + ((at - times[0]) / Math.max(1, times.at(-1) - times[0])) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - (value / most) * (HEIGHT - TOP - BOTTOM);
  const line = (which, list = points) => list.map((one) => `${x(Date.parse(one.at)).toFixed(1)},${y(one[name][which]).toFixed(1)}`);
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}` });
  for (const value of [0, most / 2, most]) {
    picture.append(svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }), svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, number(Math.round(value))));
  }
  picture.append(svg("polygon", { class: "band", points: [...line(2), ...line(0).reverse()].join(" ") }), svg("polyline", { class: "middle", points: line(1).join(" ") }));
  for (const one of points.filter((_, i) => i % 3 === 0)) picture.append(svg("text", { x: x(Date.parse(one.at)), y: HEIGHT - 6, "text-anchor": "middle" }, hour(one.at, zone)));
  const last = points.at(-1)[name];
  const texts = [2, 1, 0].filter((which) => which === 1 || Math.abs(y(last[which]) - y(last[1])) > 12);
  for (const which of texts) picture.append(svg("text", { class: which === 1 ? "last" : "", x: WIDTH - RIGHT + 5, y: y(last[which]) + 4 }, number(last[which])));
  where.replaceChildren(picture);
}

// Asking ---------------------------------------------------------------------------------

function changed() {
  const found = {};
  for (const input of form.querySelectorAll("input")) {
    const assumed = shown?.made_of.assumed.includes(input.name);
    if (input.value === "" || (input.value === input.defaultValue && !assumed)) continue;
    if (input.type === "time") found[input.name] = ((Number(input.value.slice(0, 2)) * 60 + Number(input.value.slice(3))) || (input.name === "ends" ? 1440 : 0));
    else found[input.name] = input.name.endsWith("_rate") ? Number(input.value) / 100 : Number(input.value);
  }
  return found;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  begin(changed());
});
form.addEventListener("reset", () => begin());
$("#anew")?.addEventListener("click", () => begin(changed()));
setInterval(age, 30000);
look();
