// Times on the clocks of a zone: a callback is promised in the callee's own.

/** Milliseconds by which the zone is ahead of UTC at that instant. */
function ahead(zone, at) {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
  }).formatToParts(at);
  const part = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - Math.floor(at / 1000) * 1000;
}

/** `2026-03-01T14:00` on the wall of that zone -> milliseconds. */
export function fromWall(text, zone) {
  const wall = Date.parse(`${text}:00Z`);
  const guess = wall - ahead(zone, wall);
  return wall - ahead(zone, guess);
}

/** Milliseconds -> `2026-03-01T14:00` on the wall of that zone. */
export const toWall = (at, zone) => new Date(at + ahead(zone, at)).toISOString().slice(0, 16);

const DAY_MS = 86400e3;
const nextDay = (day) => new Date(Date.parse(`${day}T00:00Z`) + DAY_MS).toISOString().slice(0, 10);

/** What a chip means at that moment in that zone, as wall time. */
export function chipTime(chip, at, zone) {
  const [day, clock] = toWall(at, zone).split("T");
  if (chip === "hour") return toWall(at + 3600e3, zone);
  if (chip === "tonight") return `${clock < "18:00" ? day : nextDay(day)}T18:00`;
  if (chip === "morning") return `${nextDay(day)}T10:00`;
  return `${nextDay(day)}T${clock}`;
}
