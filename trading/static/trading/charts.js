/* Draws the charts that templates describe (panel/section_chart.html) with Chart.js. Colours are the panel's own, read
   from its style sheet, so that light and dark follow; halts are bands, limits are lines. */
(() => {
  "use strict";
  if (typeof Chart === "undefined") return;
  const style = () => getComputedStyle(document.documentElement);
  const ink = (name) => style().getPropertyValue("--lv-" + name).trim();
  const tone = (name) => ink("fill-" + name) || ink("soft");
  const drawn = new Map();

  const marks = {
    id: "levi-marks",
    beforeDatasetsDraw(chart, _args, options) {
      const { ctx, chartArea: area, scales } = chart, data = options.data;
      if (!data) return;
      ctx.save();
      for (const band of data.bands) {
        const x = scales.x;
        const from = Math.max(x.getPixelForValue(band.since), area.left), to = Math.min(band.until ? x.getPixelForValue(band.until) : area.right, area.right);
        if (to < area.left || from > area.right) continue;
        ctx.globalAlpha = .16; ctx.fillStyle = tone(band.tone);
        ctx.fillRect(from, area.top, Math.max(to - from, 2), area.bottom - area.top);
        ctx.globalAlpha = 1; ctx.fillStyle = tone(band.tone);
        ctx.fillRect(from, area.top, Math.max(to - from, 2), 3);
      }
      ctx.font = "11px " + ink("sans");
      for (const level of data.levels) {
        const scale = data.lying ? scales.x : scales.y, at = scale.getPixelForValue(level.value);
        ctx.strokeStyle = tone(level.tone); ctx.setLineDash([5, 4]); ctx.lineWidth = 1.5;
        ctx.beginPath();
        if (data.lying) { if (at > area.right) continue; ctx.moveTo(at, area.top); ctx.lineTo(at, area.bottom); }
        else { if (at < area.top || at > area.bottom) continue; ctx.moveTo(area.left, at); ctx.lineTo(area.right, at); }
        ctx.stroke(); ctx.setLineDash([]);
        ctx.fillStyle = ink("soft"); ctx.textAlign = data.lying ? "center" : data.zero ? "left" : "right"; ctx.textBaseline = "bottom";
        if (data.lying) ctx.fillText(level.label, at, area.top);
        else { ctx.textBaseline = at - area.top < 16 ? "top" : "bottom"; ctx.fillText(level.label, data.zero ? area.left + 4 : area.right, at + (at - area.top < 16 ? 3 : -2)); }
      }
      for (const mark of data.marks) {
        const at = scales.x.getPixelForValue(mark.at);
        if (at < area.left - 1 || at > area.right + 1) continue;
        ctx.strokeStyle = ink("soft"); ctx.lineWidth = 1;
        ctx.beginPath(); ctx.moveTo(at, area.top); ctx.lineTo(at, area.bottom); ctx.stroke();
        const isLate = at - area.left > (area.right - area.left) * .8;
        ctx.fillStyle = ink("text"); ctx.textAlign = isLate ? "right" : "left"; ctx.textBaseline = "bottom";
        ctx.fillText(mark.label, at + (isLate ? -5 : 5), area.bottom - 4);
      }
      ctx.restore();
    },
  };

  const two = (number) => String(number).padStart(2, "0");
  function isUtc() {
    try { return JSON.parse(localStorage.getItem("levi_zone") || '"local"') === "utc"; } catch (_error) { return false; }
  }
  function place(ms, span) {
    const utc = isUtc(), at = new Date(ms), part = (name) => at[(utc ? "getUTC" : "get") + name]();
    const day = two(part("Month") + 1) + "-" + two(part("Date")), time = two(part("Hours")) + ":" + two(part("Minutes")) + (span < 9e5 ? ":" + two(part("Seconds")) : "");
    return span > 3 * 864e5 ? day : span > 864e5 ? day + " " + time : time;
  }
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800].map((seconds) => seconds * 1000);
  /* Round times of the day, in the zone that the labels are in. */
  function roundTimes(axis, most) {
    const step = STEPS.find((size) => (axis.max - axis.min) / size <= most) || STEPS[STEPS.length - 1];
    const shift = isUtc() ? 0 : new Date(axis.min).getTimezoneOffset() * 6e4, ticks = [];
    for (let at = Math.ceil((axis.min - shift) / step) * step + shift; at <= axis.max; at += step) ticks.push({ value: at });
    axis.ticks = ticks.length > 1 ? ticks : [{ value: axis.min }, { value: axis.max }];
  }
  const number = (value) => Math.abs(value) >= 1000 ? value.toLocaleString("en-US", { maximumFractionDigits: 0 }) : value.toLocaleString("en-US", { maximumFractionDigits: Math.abs(value) < 1 ? 6 : 2 });

  /* As exact as the marks are close: no two of them carry the same number. */
  function onAxis(value, marks) {
    const step = marks.length > 1 ? Math.abs(marks[1].value - marks[0].value) : 0;
    if (!step || step >= 1) return number(value);
    const digits = Math.min(8, Math.ceil(-Math.log10(step)) + (String(step).replace(/^0\.0*/, "").length > 1 ? 1 : 0));
    return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }

  function describe(data) {
    const span = data.timed ? data.places[data.places.length - 1] - data.places[0] : 0;
    const narrow = innerWidth < 700;
    const isLine = (series) => series.kind === "line" || series.kind === "step";
    const heights = data.levels.map((level) => level.value);
    const datasets = data.series.map((series) => ({
      type: series.kind === "dots" ? "scatter" : isLine(series) ? "line" : series.kind,
      stepped: series.kind === "step" ? "before" : false, borderDash: series.dashed ? [6, 4] : undefined,
      label: series.label,
      data: data.timed ? series.values.map((value, index) => ({ x: data.places[index], y: value })) : series.values,
      borderColor: tone(series.tone), backgroundColor: isLine(series) ? tone(series.tone) + "22" : tone(series.tone),
      borderWidth: isLine(series) ? 2 : 0, pointRadius: series.kind === "dots" ? 5 : 0, pointHoverRadius: 4, pointStyle: isLine(series) ? "line" : series.tone === "bad" ? "triangle" : "circle", clip: series.kind === "dots" ? false : undefined,
      fill: isLine(series) && !series.dashed && (data.series.length === 1 || data.zero) ? "start" : false, tension: 0, spanGaps: false, maxBarThickness: 26, borderRadius: 2,
      order: series.kind === "dots" ? 0 : 1, categoryPercentage: .86, barPercentage: .95,
    }));
    const grid = { color: ink("line"), drawTicks: false }, ticks = { color: ink("soft"), padding: 6, maxRotation: 0, autoSkipPadding: 14, font: { size: 11 } };
    const worth = { stacked: data.stacked, grid, border: { display: false }, beginAtZero: data.kind === "bar" || data.zero, title: { display: Boolean(data.axis), text: data.axis, color: ink("soft"), font: { size: 11 } },
      suggestedMin: data.fits && heights.length ? Math.min(...heights) : undefined, suggestedMax: data.fits && heights.length ? Math.max(...heights) : undefined, ticks: { ...ticks, maxTicksLimit: 5, callback: (value, _index, marks) => onAxis(value, marks) } };
    const along = data.timed
      ? { type: "linear", offset: data.kind === "bar", min: data.places[0], max: data.places[data.places.length - 1], stacked: data.stacked, grid: { display: false }, border: { color: ink("line") }, ticks: { ...ticks, callback: (value) => place(value, span) }, afterBuildTicks: (axis) => roundTimes(axis, narrow ? 4 : 8) }
      : { type: "category", stacked: data.stacked, grid: { display: false }, border: { color: ink("line") }, ticks };
    return {
      type: data.kind, plugins: [marks],
      data: { labels: data.timed ? undefined : data.places, datasets },
      options: {
        responsive: true, maintainAspectRatio: false, animation: false, parsing: data.timed ? { xAxisKey: "x", yAxisKey: "y" } : true,
        indexAxis: data.lying ? "y" : "x", interaction: { mode: data.lying ? "nearest" : "index", axis: data.lying ? "y" : "x", intersect: false },
        layout: { padding: { top: data.levels.length && data.lying ? 16 : 4 } },
        scales: data.lying ? { x: { ...worth, suggestedMax: Math.max(0, ...data.levels.map((l) => l.value)) }, y: along } : { x: along, y: worth },
        plugins: {
          legend: { display: data.series.length > 1, position: "bottom", align: "start", labels: { color: ink("text"), generateLabels: (chart) => Chart.defaults.plugins.legend.labels.generateLabels(chart).map((label) => ({ ...label, lineDash: chart.data.datasets[label.datasetIndex].borderDash || [] })), usePointStyle: data.series.some((series) => series.kind === "dots" || series.kind === "step"), pointStyleWidth: data.series.some((series) => series.kind === "dots") ? undefined : 22, boxWidth: 11, boxHeight: 11, font: { size: 12 } } },
          tooltip: { displayColors: data.series.length > 1, callbacks: {
            title: (items) => items.length && data.timed ? place(items[0].parsed.x, span > 864e5 ? 2 * 864e5 : 0) : items.length ? items[0].label : "",
            label: (item) => item.dataset.label + ": " + number(data.lying ? item.parsed.x : item.parsed.y) + (data.unit ? " " + data.unit : ""),
          } },
          "levi-marks": { data },
        },
      },
    };
  }

  function draw(figure) {
    const canvas = figure.querySelector("canvas"), script = figure.querySelector("script[type='application/json']");
    if (!canvas || !script) return;
    const old = drawn.get(canvas), space = canvas.parentElement;
    if (old) old.destroy();
    drawn.delete(canvas);
    delete space.dataset.drawn;  // until it is, charts.css says where the numbers are
    // One that fails keeps no other from being drawn.
    try { drawn.set(canvas, new Chart(canvas, describe(JSON.parse(script.textContent)))); space.dataset.drawn = "yes"; } catch (error) { reportError(error); }
  }
  function forget() {
    for (const [canvas, chart] of drawn) if (!canvas.isConnected) { chart.destroy(); drawn.delete(canvas); }
  }
  function drawAll() {
    forget();
    document.querySelectorAll("figure.lv-chart").forEach(draw);
  }

  document.addEventListener("levi:theme", drawAll);
  document.addEventListener("levi:data", (event) => event.target.querySelectorAll("figure.lv-chart").forEach(draw));
  document.addEventListener("levi:shown", () => {
    forget();
    document.querySelectorAll("figure.lv-chart").forEach((figure) => { if (!drawn.has(figure.querySelector("canvas"))) draw(figure); });
  });
  drawAll();
})();
