// What every page needs: texts, requests, the live socket, server time, timers, icons. No framework, no build step.

const root = document.documentElement;
const texts = JSON.parse(root.dataset.texts);
export const language = root.lang;

/** The text of an id in the page's language, with {name} filled in; an unknown id is shown as it is. */
export function t(id, values = {}) {
  return (texts[id] ?? id).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Whether a text exists for this id. */
export const has = (id) => id in texts;

export const $ = (selector, within = document) => within.querySelector(selector);

/** An element with properties and children; text is always text, never markup. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const SHAPES = {
  talking: "M5 4h4l2 5-2.500 1.500a11 11 0 0 0 5 5L15 13l5 2v4a1 1 0 0 1-1 1A15 15 0 0 1 4 5a1 1 0 0 1 1-1z",
  ready: "M5 12.500l4.500 4.500L19 7.500",
  wrap_up: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  preview: "M2 12c3-4.500 6.500-6.500 10-6.500s7 2 10 6.500c-3 4.500-6.500 6.500-10 6.500s-7-2-10-6.500zM12 9.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5",
  ringing: "M6 17h12l-1.500-2v-4a4.500 4.500 0 0 0-9 0v4zM10 20h4M3 9a7 7 0 0 1 2-4M21 9a7 7 0 0 0-2-4",
  paused: "M8 5v14M16 5v14",
  offline: "M6 6l12 12M18 6L6 18",
  dialling: "M4 12h13M12 6l6 6-6 6",
  mute: "M4 9h4l5-4v14l-5-4H4zM17 9l5 6M22 9l-5 6",
  waiting: "M7 4h10M7 20h10M8 4c0 5 3 6 4 8 1-2 4-3 4-8M8 20c0-5 3-6 4-8 1 2 4 3 4 8",
};

/** The icon of a state, as strokes in the current colour. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", SHAPES[name] ?? SHAPES.offline);
  svg.append(path);
  return svg;
}

for (const place of document.querySelectorAll("[data-icon]")) place.append(icon(place.dataset.icon));

// Requests ------------------------------------------------------------------

/** A refusal or failure; `code` is stable, `message` is for people. */
export class Refusal extends Error {
  constructor(status, error) {
    super(has(`error.${error.code}`) ? t(`error.${error.code}`, error.data) : [error.message, error.remedy].filter(Boolean).join(". "));
    this.status = status;
    this.code = error.code;
    this.data = error.data ?? {};
  }
}

/** Ask the API; resolves to its answer, rejects with a Refusal. status 0: no answer came. */
export async function ask(method, path, body, headers = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: { "X-Dialer": "1", ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout?.(15000),
    });
  } catch {
    throw new Refusal(0, { code: "no_answer", message: t("error.no_answer") });
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401 && !path.endsWith("/login")) location.assign("/");
  throw new Refusal(response.status, answer.error ?? { code: "internal", message: response.statusText });
}

// Server time -----------------------------------------------------------------

let offset = 0; // what to add to this computer's clock to get the server's
let heard = 0; // when the last push came, by the page's own monotonic clock

/** Milliseconds of server time now. */
export const serverNow = () => Date.now() + offset;

/** Seconds since the last push. */
export const ageS = () => (performance.now() - heard) / 1000;

/** `1:05` or `1:02:03` */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  return `${hours ? `${hours}:${pad(Math.floor(whole / 60) % 60)}` : Math.floor(whole / 60)}:${pad(whole % 60)}`;
}

/** Date and time in a zone, the reader's own when none is given. */
export function moment(iso, options = { dateStyle: "medium", timeStyle: "short" }, zone = undefined) {
  return new Intl.DateTimeFormat(language, { ...options, timeZone: zone }).format(new Date(iso));
}

export function number(value, digits = 0) {
  return new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

const rules = new Intl.PluralRules(language);

/** A count with its noun in the form that the language asks for. */
export const counted = (noun, count) => t(`count.${noun}.${rules.select(count)}`, { count: number(count) });

// The live socket ---------------------------------------------------------------

const MUTE_MS = 10_000; // the server says something every 2 s: a line this quiet is dead, whatever it claims
const WHO_MS = 3_000;
/** The server closes pages of a session that was ended with this code. */
const LOGGED_OUT = 1008;

/** Keep a socket open; each message is a picture or what changed in it. Comes back by itself, with jitter, so that a floor does not storm. */
export function follow(path, show) {
  let wait = 500;
  let socket = null;
  let alive = 0;
  const open = () => {
    alive = performance.now();
    const mine = new WebSocket(location.origin.replace(/^http/, "ws") + path);
    socket = mine;
    mine.onmessage = (event) => {
      const picture = JSON.parse(event.data);
      heard = alive = performance.now();
      offset = Date.parse(picture.at) - Date.now();
      wait = 500;
      $("#lost").hidden = true;
      show(picture);
    };
    mine.onclose = ({ code }) => (code === LOGGED_OUT ? location.assign("/") : lose(mine));
  };
  const lose = async (mine) => {
    if (socket !== mine) return;
    socket = null;
    mine.onmessage = null;
    mine.close();
    $("#lost").hidden = false;
    // A refused handshake looks like a lost line; asking who we are tells a session that ended. It may not hold us up.
    await Promise.race([ask("GET", "/api/v1/me").catch(() => {}), new Promise((go) => setTimeout(go, WHO_MS))]);
    setTimeout(open, wait * (0.5 + Math.random()));
    wait = Math.min(wait * 2, 8000);
  };
  setInterval(() => socket && performance.now() - alive > MUTE_MS && lose(socket), 1000);
  open();
}

/** Call it several times a second, only while somebody looks. */
export function everyTick(tick) {
  setInterval(() => document.hidden || tick(), 250);
  document.addEventListener("visibilitychange", () => document.hidden || tick());
}

// Telling and asking ------------------------------------------------------------

/** Say something for a few seconds, without taking the focus; `kind`: good, bad or plain. */
export function toast(text, kind = "good") {
  const place = $("#toasts");
  const note = el("p", { className: `toast ${kind}` }, text);
  place.append(note);
  while (place.children.length > 4) place.firstChild.remove();
  setTimeout(() => note.remove(), kind === "bad" ? 12000 : 5000);
}

/** Ask before something that others feel. Resolves to false, or to what was typed ("" without a field). */
export function confirmed(title, text, { yes = t("confirm.yes"), danger = false, field = "" } = {}) {
  const dialog = $("#confirm");
  $("#confirm-title").textContent = title;
  $("#confirm-text").textContent = text;
  $("#confirm-yes").textContent = yes;
  $("#confirm-yes").className = danger ? "danger" : "primary";
  const label = $("#confirm-field");
  const input = $("input", label);
  label.hidden = !field;
  $("span", label).textContent = field;
  input.required = Boolean(field);
  input.value = "";
  dialog.returnValue = "no";
  dialog.showModal();
  (field ? input : $("#confirm-yes")).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes" && (field ? input.value.trim() : "")), { once: true });
  });
}

/** Do something that may be refused; what went wrong is told, never thrown. Resolves to whether it was done. */
export async function attempt(work, said = "") {
  try {
    await work();
    if (said) toast(said);
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message, "bad");
    return false;
  }
}

// The bar -------------------------------------------------------------------------

const THEMES = ["auto", "light", "dark", "contrast"];
const themeNow = () => root.dataset.theme ?? "auto";
const themeButton = $("#theme");

function nameTheme() {
  themeButton.title = t(`theme.${themeNow()}`);
  themeButton.setAttribute("aria-label", themeButton.title);
}

if (themeButton) {
  nameTheme();
  themeButton.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(themeNow()) + 1) % THEMES.length];
    if (next === "auto") {
      delete root.dataset.theme;
      localStorage.removeItem("theme");
    } else {
      root.dataset.theme = next;
      localStorage.setItem("theme", next);
    }
    nameTheme();
    toast(themeButton.title, "plain");
    document.dispatchEvent(new Event("themechange"));
  });
}

$("#language")?.addEventListener("click", async () => {
  const other = language === "ru" ? "en" : "ru";
  if ($("#logout")) await ask("POST", "/api/v1/me/language", { language: other });
  else document.cookie = `language=${other}; SameSite=Strict; Path=/; Max-Age=31536000`;
  location.reload();
});

$("#logout")?.addEventListener("click", async () => {
  await ask("POST", "/api/v1/logout");
  location.assign("/");
});

const menu = $("#menu");
menu?.addEventListener("click", () => menu.setAttribute("aria-expanded", String(menu.getAttribute("aria-expanded") !== "true")));

const seldom = $(".seldom");
seldom?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !seldom.open) return;
  seldom.open = false;
  $("summary", seldom).focus();
});
document.addEventListener("click", (event) => seldom?.open && !seldom.contains(event.target) && (seldom.open = false));

const help = $("#help-text");
$("#help")?.addEventListener("click", () => help.showModal());

/** Whether keys are letters right now, not commands. */
export const typing = () => document.activeElement?.matches("input, textarea, select, [contenteditable]") || Boolean(document.querySelector("dialog[open]"));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing()) return;
  if (event.key === "?" && help) help.showModal();
  else if (event.key === "/" && $("[data-search]")) $("[data-search]").focus();
  else return;
  event.preventDefault();
});
