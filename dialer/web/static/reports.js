// Draws the tables of the reports: what is drawn is read from the cells, so plot and table cannot differ.

import uPlot from "./vendor/uplot.js";

const HEIGHT = 190;
const COLOURS = ["--ready", "--ringing", "--talking", "--bad", "--wrap_up"];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const value = (cell) => (cell?.dataset.value === undefined ? null : Number(cell.dataset.value));

function read(table) {
  const heads = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent);
  const rows = [...table.tBodies[0].rows];
  return { heads, labels: rows.map((row) => row.cells[0].textContent), values: heads.map((_, at) => rows.map((row) => value(row.cells[at + 1]))) };
}

function axes(labels) {
  const text = { stroke: () => colour("--muted"), grid: { stroke: () => colour("--line"), width: 1 }, ticks: { show: false } };
  const names = (_, places) => places.map((place) => (Number.isInteger(place) ? (labels[place] ?? "").replace(/^\d{4}-/, "") : ""));
  return [{ ...text, values: names, space: 90, grid: { show: false } }, { ...text, size: 44 }];
}

function lines({ heads, labels, values }) {
  const counts = values.slice(0, 5);
  return {
    data: [labels.map((_, at) => at), ...counts],
    series: [{}, ...counts.map((_, at) => ({ label: heads[at], stroke: () => colour(COLOURS[at]), width: 2, dash: at === 3 ? [4, 3] : [], points: { show: labels.length < 30 } }))],
  };
}

function bars({ heads, labels, values }) {
  const last = values.length - 1;
  const drawn = uPlot.paths.bars({ size: [0.6, 60] });
  return {
    data: [labels.map((_, at) => at), values[last]],
    series: [{}, { label: heads[last], paths: drawn, fill: () => colour("--ready"), stroke: () => colour("--ready"), points: { show: false } }],
  };
}

/** The share as a point, its interval as a line from end to end, and what all have as a dashed line. */
function ranges({ heads, labels, values }, usual) {
  const [share, low, high] = values.slice(2, 5);
  const whisker = (plot) => {
    const { ctx } = plot;
    ctx.save();
    ctx.strokeStyle = colour("--ready");
    ctx.lineWidth = 2 * devicePixelRatio;
    labels.forEach((_, at) => {
      const x = plot.valToPos(at, "x", true);
      ctx.beginPath();
      ctx.moveTo(x, plot.valToPos(low[at], "y", true));
      ctx.lineTo(x, plot.valToPos(high[at], "y", true));
      ctx.stroke();
    });
    ctx.restore();
  };
  return {
    data: [labels.map((_, at) => at), share, labels.map(() => usual)],
    series: [{}, { label: heads[2], stroke: () => colour("--ready"), width: 0, points: { show: true, size: 9, fill: () => colour("--ready") } }, { stroke: () => colour("--muted"), dash: [5, 4], width: 1, points: { show: false } }],
    hooks: { draw: [whisker] },
    top: Math.max(...high, 1),
  };
}

const KINDS = { lines, bars, ranges };

function draw(frame) {
  const table = read(frame.parentElement.querySelector(".scroll table")); // not the legend, which is one, too
  const { data, series, hooks = {}, top } = KINDS[frame.dataset.plot](table, Number(frame.dataset.usual));
  const width = Math.max(200, frame.clientWidth);
  const ends = [-0.6, table.labels.length - 0.4];
  const scales = { x: { time: false, range: () => ends }, y: { range: (_, _low, high) => [0, (top ?? high ?? 1) * 1.08 || 1] } };
  const legend = { show: frame.dataset.plot === "lines", live: false };
  frame.plot?.destroy();
  frame.plot = new uPlot({ width, height: HEIGHT, cursor: { show: false }, legend, axes: axes(table.labels), scales, series, hooks }, data, frame);
}

const frames = [...document.querySelectorAll("[data-plot]")];
frames.forEach(draw);
new ResizeObserver(() => frames.filter((frame) => Math.abs(frame.plot.width - frame.clientWidth) > 4 && frame.clientWidth >= 200).forEach(draw)).observe(document.querySelector("main"));
new MutationObserver(() => frames.forEach((frame) => frame.plot.redraw())).observe(document.documentElement, { attributeFilter: ["data-theme"] });
