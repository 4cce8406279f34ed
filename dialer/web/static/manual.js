// Dialing by hand: what was typed is shown as it was understood, with what the rules say, and called by a second word.

import { $, ask, el, has, language, moment, serverNow, t, toast } from "./common.js";

const form = $("#dial-form");
const LOOK_AFTER_MS = 350;
const LOOK_AGAIN_MS = 20_000;
const DIGITS_LEAST = 5;
const TIME = { weekday: "short", hour: "2-digit", minute: "2-digit" };
const WHEN = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };

let campaigns = []; // for which numbers may be dialled
let operator = null;
let opened = false; // by a key, in a pause of another reason
let found = null; // what the server said of what is typed
let turn = 0;
let timer = 0;
let zones = [];

const state = () => operator?.state ?? "offline";
const may = () => campaigns.length > 0 && ["ready", "paused"].includes(state());
const isOpen = () => may() && (operator.dials || (opened && state() === "paused"));
const typed = () => form.number.value.trim();

/** Draw the place and the button that opens it; `shown` is the operator of the present picture. */
export function drawDial(shown) {
  const was = !$("#dial").hidden;
  operator = shown;
  if (["talking", "ready", "offline"].includes(state()) && !operator?.dials) opened = false;
  if (state() === "talking" && operator.campaign_id && found) forget();
  const now = isOpen();
  $("#dial-open").hidden = !may() || now;
  $("#dial").hidden = !now;
  $("#begin").hidden = now;
  $("#dial-wait").hidden = state() !== "ready";
  drawCall();
  if (now && !was) {
    read();
    form.number.focus();
    if (typed()) look();
  }
}

/** The callee's clock moves. */
export function dialTick() {
  const place = $("#dial-local");
  if (!place || !zones.length) return;
  const text = local(zones);
  if (place.textContent !== text) place.textContent = text;
}

function local(of) {
  const hours = of.map((zone) => ({ zone, at: offsetOf(zone) })).sort((one, other) => one.at - other.at);
  const first = moment(serverNow(), TIME, hours[0].zone);
  const last = moment(serverNow(), TIME, hours.at(-1).zone);
  if (first === last) return t("dial.local", { at: first, zone: hours[0].zone.replaceAll("_", " ") });
  return t("dial.local_between", { first, last, count: of.length });
}

function offsetOf(zone) {
  const parts = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" }).formatToParts(serverNow());
  const value = Object.fromEntries(parts.map((part) => [part.type, Number(part.value)]));
  return Date.UTC(value.year, value.month - 1, value.day, value.hour, value.minute);
}

// Campaigns ---------------------------------------------------------------------------

export async function readCampaigns() {
  const answer = await ask("GET", "/api/v1/operator/dial").catch(() => null);
  if (!answer) return;
  campaigns = answer.campaigns;
  const before = form.campaign.value || localStorage.getItem("dial-campaign");
  form.campaign.replaceChildren(...campaigns.map((one) => el("option", { value: String(one.id) }, one.name)));
  if (campaigns.some((one) => String(one.id) === before)) form.campaign.value = before;
  $("#dial-campaign-field").hidden = campaigns.length < 2;
  hint();
  if (operator) drawDial(operator);
}

function hint() {
  const country = campaigns.find((one) => String(one.id) === form.campaign.value)?.country;
  $("#dial-hint").textContent = country ? t("dial.national", { country: countryName(country) }) : t("dial.plus");
}

const countryName = (code) => new Intl.DisplayNames(language, { type: "region" }).of(code) ?? code;

// Looking -------------------------------------------------------------------------------

function forget() {
  form.number.value = "";
  read();
}

/** What is shown was said of something else. */
function read() {
  turn += 1;
  clearTimeout(timer);
  found = null;
  zones = [];
  $("#dial-found").replaceChildren();
  $("#dial-contacts").hidden = true;
  say("");
  drawCall();
}

function say(text) {
  $("#dial-error").textContent = text;
  $("#dial-error").hidden = !text;
  form.number.setAttribute("aria-invalid", String(Boolean(text)));
}

const body = () => ({ campaign: Number(form.campaign.value), number: typed(), ...(chosen() ? { contact: chosen() } : {}) });
const chosen = () => Number(form.querySelector("[name=contact]:checked")?.value ?? 0) || null;

async function look() {
  clearTimeout(timer);
  if (!typed() || !campaigns.length) return;
  turn += 1;
  const mine = turn;
  const asked = body();
  try {
    const answer = await ask("POST", "/api/v1/operator/dial/look", asked);
    if (mine !== turn) return;
    found = answer;
    say("");
    draw();
  } catch (refusal) {
    if (mine !== turn) return;
    found = null;
    $("#dial-found").replaceChildren();
    $("#dial-contacts").hidden = true;
    drawCall();
    say(refusal.status === 0 ? t("operator.not_done") : refusal.message);
  }
}

const until = (at) => (at ? ` ${t("call.until", { at: moment(at, WHEN) })}` : "");
const sentence = (reason) => (has(`error.call.${reason.reason}`) ? t(`error.call.${reason.reason}`) : reason.reason) + until(reason.until);

function draw() {
  zones = found.zones;
  const known = found.contacts.find((one) => one.id === found.contact);
  const who = known ? known.name || t("operator.nameless") : found.allowed && !found.contacts.length ? t("dial.new") : "";
  const reasons = found.reasons.filter((one) => one.reason !== "several_contacts");
  $("#dial-found").replaceChildren(
    el("p", {}, el("b", { className: "number" }, found.number), " ", el("span", {}, found.country ? countryName(found.country) : "")),
    zones.length ? el("p", { id: "dial-local", className: "local" }, local(zones)) : el("p", { className: "muted" }, t("dial.no_zone")),
    who ? el("p", {}, known ? el("b", {}, who) : who, known ? ` · ${known.base} · ${about(known)}` : "") : "",
    found.allowed ? el("p", { className: "promise good" }, t("dial.allowed")) : "",
    ...reasons.map((one) => el("p", { className: "promise bad" }, sentence(one))),
  );
  drawContacts();
  drawCall();
}

function about(contact) {
  const last = contact.last_at ? t("dial.last", { at: moment(contact.last_at, WHEN), outcome: t(`outcome.${contact.last_outcome}`) }) : t("operator.first");
  return contact.state === "closed" ? `${t("dial.closed")} · ${last}` : last;
}

function drawContacts() {
  const several = found.contacts.length > 1;
  const place = $("#dial-contacts");
  place.hidden = !several;
  if (!several) return $("div", place).replaceChildren();
  const before = found.contact;
  $("div", place).replaceChildren(
    ...found.contacts.map((one) => {
      const radio = el("input", { type: "radio", name: "contact", value: String(one.id), checked: one.id === before });
      return el("label", { className: "check" }, radio, el("span", {}, el("b", {}, one.name || t("operator.nameless")), ` · ${one.base} · ${about(one)}`));
    }),
  );
}

/** There is a button for what may be done, and none for what may not. */
function drawCall() {
  $("#dial-call").hidden = !(found?.allowed && state() === "paused");
}

// Doing ---------------------------------------------------------------------------------

async function call() {
  const button = $("#dial-call");
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  localStorage.setItem("dial-campaign", form.campaign.value);
  try {
    await ask("POST", "/api/v1/operator/dial", body());
  } catch (refusal) {
    say(refusal.status === 0 ? t("operator.not_done") : refusal.message + until(refusal.data?.until));
    if (refusal.code?.startsWith("call.")) look();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

async function open() {
  if (state() === "paused") opened = true;
  else await ask("POST", "/api/v1/operator/pause", { reason: "dial" }).catch((refusal) => toast(refusal.status === 0 ? t("operator.not_done") : refusal.message, "bad"));
  drawDial(operator);
}

async function close() {
  opened = false;
  if (operator?.dials) await ask("POST", "/api/v1/operator/ready").catch((refusal) => toast(refusal.status === 0 ? t("operator.not_done") : refusal.message, "bad"));
  drawDial(operator);
  $("#dial-open").focus();
}

/** What a key does; whether it did anything. */
export function dialKey(key) {
  if (key.toLowerCase() !== "d" || $("#dial-open").hidden) return false;
  open();
  return true;
}

/** Escape closes the place; whether it was open. */
export function dialEscape() {
  if ($("#dial").hidden) return false;
  close();
  return true;
}

/** A button that dials an own promise that is due; nothing where it cannot be. */
export function dialDue(promise) {
  const due = promise.state !== "pending" && state() === "paused";
  if (!due || !campaigns.some((one) => one.id === promise.campaign_id)) return "";
  const button = el("button", { type: "button" }, t("callback.call_now"));
  button.setAttribute("aria-label", `${t("callback.call_now")}: ${promise.contact || promise.phone}`);
  button.addEventListener("click", () => {
    opened = true;
    drawDial(operator);
    form.campaign.value = String(promise.campaign_id);
    form.number.value = promise.phone;
    hint();
    read();
    look();
    form.number.focus();
  });
  return button;
}

form.number.addEventListener("input", () => {
  read();
  if (typed().replace(/\D/g, "").length >= DIGITS_LEAST) timer = setTimeout(look, LOOK_AFTER_MS);
});
form.campaign.addEventListener("input", () => {
  hint();
  read();
  look();
});
$("#dial-contacts").addEventListener("change", look);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (found?.allowed && state() === "paused") call();
  else look();
});
form.addEventListener("keydown", (event) => event.key === "Enter" && event.repeat && event.preventDefault());
$("#dial-open").addEventListener("click", open);
$("#dial-close").addEventListener("click", close);
setInterval(() => document.hidden || $("#dial").hidden || !typed() || look(), LOOK_AGAIN_MS);
