// The last 60 minutes of a campaign: connected calls as an area, abandoned ones in red over it; as a table on click.

import { $, el, moment, number, t } from "./common.js";
import uPlot from "./vendor/uplot.js";

const HEIGHT = 54;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options(width) {
  const bars = uPlot.paths.bars({ size: [0.9, 12], align: 0 });
  return {
    width,
    height: HEIGHT,
    padding: [4, 0, 0, 0],
    cursor: { show: false },
    legend: { show: false },
    axes: [{ show: false }, { show: false }],
    scales: { x: { time: false }, y: { range: (_, low, high) => [0, Math.max(high, 4)] } },
    series: [
      {},
      { paths: bars, fill: () => colour("--talking"), width: 0, points: { show: false } },
      { paths: bars, fill: () => colour("--bad"), width: 0, points: { show: false } },
    ],
  };
}

/** Draw or redraw the line of a tile. */
export function spark(tile, overview, at) {
  const { connected, abandoned } = overview;
  const sum = (counts) => counts.reduce((total, count) => total + count, 0);
  const said = t("board.spark", { connected: number(sum(connected)), abandoned: number(sum(abandoned)) });
  const drawn = JSON.stringify([connected, abandoned, tile.spark.clientWidth, document.documentElement.dataset.theme]);
  tile.minutes = { connected, abandoned, at };
  if (!tile.plot) {
    tile.canvas = el("div", { className: "plot", "aria-hidden": "true" });
    tile.caption = el("small", {});
    const button = el("button", { type: "button", className: "as-table" }, t("board.table"));
    button.addEventListener("click", () => openTable(tile));
    tile.spark.append(tile.canvas, el("span", { className: "row" }, tile.caption, button));
  }
  tile.caption.textContent = said;
  if (tile.drawn === drawn) return;
  tile.drawn = drawn;
  const data = [connected.map((_, minute) => minute), connected, abandoned];
  const width = Math.max(120, tile.canvas.clientWidth);
  if (tile.plot) {
    tile.plot.setSize({ width, height: HEIGHT });
    tile.plot.setData(data);
  } else tile.plot = new uPlot(options(width), data, tile.canvas);
}

function openTable(tile) {
  const dialog = $("#minutes");
  const { connected, abandoned, at } = tile.minutes;
  $("#minutes-title").textContent = tile.view.name;
  const last = Math.floor(Date.parse(at) / 60e3) * 60e3;
  const rows = connected.map((count, minute) => [new Date(last - (connected.length - 1 - minute) * 60e3), count, abandoned[minute]]);
  $("tbody", dialog).replaceChildren(
    ...rows.reverse().map(([minute, connects, abandons]) =>
      el("tr", {}, el("th", { scope: "row" }, moment(minute, { hour: "2-digit", minute: "2-digit" })), el("td", { className: "number" }, number(connects)), el("td", { className: "number" }, number(abandons))),
    ),
  );
  dialog.showModal();
}
