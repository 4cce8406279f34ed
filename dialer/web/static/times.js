// Times on the clocks of a zone: a callback is promised in the callee's own.

const MINUTE_MS = 60e3;
const HALF_HOUR_MS = 30 * MINUTE_MS;
const DAY_MS = 86400e3;

/** Milliseconds by which the zone is ahead of UTC at that instant. */
function ahead(zone, at) {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
  }).formatToParts(at);
  const part = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - Math.floor(at / 1000) * 1000;
}

/** `2026-03-01T14:00` on the wall of that zone -> milliseconds; of an hour that comes twice the first, of one that is missing the minute after it. */
export function fromWall(text, zone) {
  const wall = Date.parse(`${text}:00Z`);
  const offsets = [wall - DAY_MS, wall + DAY_MS].map((at) => ahead(zone, at));
  const found = offsets.map((offset) => wall - offset).filter((at) => at + ahead(zone, at) === wall);
  if (found.length) return Math.min(...found);
  let [before, after] = [wall - Math.max(...offsets), wall - Math.min(...offsets)]; // clocks went forward between them
  while (after - before > MINUTE_MS) {
    const middle = before + Math.floor((after - before) / 2 / MINUTE_MS) * MINUTE_MS;
    if (ahead(zone, middle) === ahead(zone, before)) before = middle;
    else after = middle;
  }
  return after;
}

/** What the clocks of that zone do to a time on the wall: `missing`, `twice`, or nothing. */
export function oddity(text, zone) {
  const at = fromWall(text, zone);
  if (toWall(at, zone) !== text) return "missing";
  return [HALF_HOUR_MS, 2 * HALF_HOUR_MS].some((later) => toWall(at + later, zone) === text) ? "twice" : "";
}

/** Milliseconds -> `2026-03-01T14:00` on the wall of that zone. */
export const toWall = (at, zone) => new Date(at + ahead(zone, at)).toISOString().slice(0, 16);

const nextDay = (day) => new Date(Date.parse(`${day}T00:00Z`) + DAY_MS).toISOString().slice(0, 10);

/** What a chip means at that moment in that zone, as wall time. */
export function chipTime(chip, at, zone) {
  const [day, clock] = toWall(at, zone).split("T");
  if (chip === "hour") return toWall(at + 3600e3, zone);
  if (chip === "tonight") return `${clock < "18:00" ? day : nextDay(day)}T18:00`;
  if (chip === "morning") return `${nextDay(day)}T10:00`;
  return `${nextDay(day)}T${clock}`;
}
