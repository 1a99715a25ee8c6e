"use strict";
// Curves, bars and matrices: read by pointing at them, linked with the rows of the table.
(() => {
  const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];
  const LONGEST = 28;
  const plain = (text) => new Bokeh.PlainText({ text });  // never a formula
  const short = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);
  const number = (value) => (value === null || !Number.isFinite(value) ? "–" : String(Number(value.toPrecision(4))));
  const known = (values) => values.map((value) => (value === null ? NaN : value));

  const nameTicks = (axis, names) => {
    axis.ticker = new Bokeh.FixedTicker({ ticks: names.map((_, i) => i) });
    axis.major_label_overrides = new Map(names.map((name, i) => [i, plain(short(name))]));
  };
  const addCurve = (figure, source, data, s, colour) => {
    figure.varea({ field: "x" }, { field: `low${s}` }, { field: `high${s}` }, { source, fill_color: colour, fill_alpha: 0.2 });
    figure.line({ field: "x" }, { field: `value${s}` }, { source, line_color: colour, line_width: 2 });
    return figure.scatter({ field: "x" }, { field: `value${s}` }, {
      source, size: data.x.length > 200 ? 4 : 7, fill_color: colour, line_color: colour,
      nonselection_fill_alpha: 0.2, nonselection_line_alpha: 0.2,
    });
  };
  const addBars = (figure, source, data, s, colour, count) => {
    const width = 0.8 / count;
    const bars = figure.vbar({ field: `place${s}` }, width, { field: `value${s}` }, 0, {
      source, fill_color: colour, fill_alpha: 0.6, line_color: colour, nonselection_fill_alpha: 0.15,
    });
    figure.segment({ field: `place${s}` }, { field: `low${s}` }, { field: `place${s}` }, { field: `high${s}` }, { source, line_color: "#1b1b1b", line_width: 1.5 });
    return bars;
  };
  const drawSeries = (figure, data) => {
    const columns = { x: data.x };
    const shown = data.kind === "bars" ? data.series.slice(0, 1) : data.series;  // bars of one quantity share a scale
    shown.forEach((one, s) => {
      const [value, se] = [known(one.value), known(one.se)];
      columns[`value${s}`] = value;
      columns[`low${s}`] = value.map((v, i) => v - (Number.isFinite(se[i]) ? se[i] : 0));
      columns[`high${s}`] = value.map((v, i) => v + (Number.isFinite(se[i]) ? se[i] : 0));
      columns[`place${s}`] = data.x;
    });
    const source = new Bokeh.ColumnDataSource({ data: columns });
    const add = data.kind === "curve" ? addCurve : addBars;
    const drawn = shown.map((one, s) => add(figure, source, data, s, COLOURS[s], shown.length));
    if (data.kind === "bars") nameTicks(figure.below[0], data.names);
    if (data.kind === "bars" && data.names.length > 6) figure.below[0].major_label_orientation = 0.7;
    figure.below[0].axis_label = plain(data.word);
    figure.left[0].axis_label = plain(shown.length === 1 ? `${shown[0].name} ± se` : "value ± se");
    return [source, drawn, shown];
  };
  const drawMatrix = (figure, data) => {
    const value = known(data.series[0].value);
    const finite = value.filter(Number.isFinite);
    const mapper = new Bokeh.LinearColorMapper({ palette: data.scale, low: Math.min(...finite), high: Math.max(...finite), nan_color: "#dddddd" });
    const source = new Bokeh.ColumnDataSource({ data: { x: data.x, y: data.y, value } });
    const drawn = figure.rect({ field: "x" }, { field: "y" }, 0.95, 0.95, { source, fill_color: { field: "value", transform: mapper }, line_color: null });
    nameTicks(figure.below[0], data.across);
    nameTicks(figure.left[0], data.names);
    figure.below[0].major_label_orientation = 0.7;
    figure.below[0].axis_label = plain(`${data.word}, by column`);
    return [source, [drawn], data.series];
  };
  const facts = (data, shown, i) => {
    const place = data.kind === "matrix" ? `${data.names[data.y[i]]} → ${data.across[data.x[i]]}` : `${data.word} ${data.names[i]}`;
    return [place, ...shown.map((one) => `${one.name} ${number(one.value[i])} ± ${number(one.se[i])}`)].join("   ");
  };

  const chart = async (data, box) => {
    const place = document.createElement("div");
    place.className = "canvas low";
    const reading = document.createElement("p");
    reading.className = "reading";
    reading.setAttribute("aria-hidden", "true");
    box.replaceChildren(place, reading);
    const figure = Bokeh.Plotting.figure({
      tools: "pan,wheel_zoom,box_zoom,tap,reset", sizing_mode: "stretch_width", height: 340, toolbar_location: "above",
      output_backend: "canvas", min_border: 10,
    });
    figure.toolbar.logo = null;
    const [source, drawn, shown] = data.kind === "matrix" ? drawMatrix(figure, data) : drawSeries(figure, data);
    if (shown.length > 1) {
      const key = document.createElement("p");
      key.className = "aside";
      shown.forEach((one, s) => {
        const swatch = document.createElement("span");
        swatch.className = "swatch";
        swatch.style.background = COLOURS[s];
        key.append(swatch, `${one.name}   `);
      });
      box.append(key);
    }
    figure.add_tools(new Bokeh.HoverTool({ tooltips: null, renderers: drawn, mode: data.kind === "curve" ? "vline" : "mouse" }));
    const drawing = Bokeh.Plotting.show(figure, place);
    let chosen = -1;
    const read = () => {
      const i = source.inspected.indices[0] ?? chosen;
      reading.textContent = i >= 0 ? facts(data, shown, i) : "Point at it to read a value, or choose a row of the table.";
    };
    source.inspect.connect(read);

    const article = box.closest("article");
    const points = article.querySelector("[id^=explorer-]");
    const rows = [...article.querySelectorAll("tr[data-group]")];
    const mark = (i) => {
      chosen = i;
      source.selected.indices = i >= 0 ? [i] : [];
      read();
    };
    if (points) {  // states and regions: the selection is that of the points
      points.addEventListener("picked", (event) => mark(event.detail));
      source.selected.properties.indices.change.connect(() => {
        const i = source.selected.indices[0] ?? -1;
        if (i >= 0 && i !== chosen) rows[i]?.querySelector("button")?.click();
      });
    } else {
      const choose = (i) => {
        mark(i === chosen ? -1 : i);
        rows.forEach((row, r) => {
          row.classList.toggle("picked", r === chosen);
          row.querySelector("button").setAttribute("aria-pressed", String(r === chosen));
        });
      };
      rows.forEach((row, i) => {
        const head = row.firstElementChild;
        const button = document.createElement("button");
        button.type = "button";
        button.className = "pick";
        button.setAttribute("aria-pressed", "false");
        button.append(...head.childNodes);
        button.addEventListener("click", (event) => { event.stopPropagation(); choose(i); });
        head.replaceChildren(button);
        row.classList.add("picks");
        row.addEventListener("click", () => choose(i));
      });
      source.selected.properties.indices.change.connect(() => {
        const i = source.selected.indices[0] ?? -1;
        if (i !== chosen && (i >= 0) && rows[i]) choose(i);
      });
    }
    read();
    await drawing;
    if (!points) article.classList.add("explored");
    box.dataset.ready = "yes";
  };

  for (const block of document.querySelectorAll("script[id^=chart-data-]")) {
    const data = JSON.parse(block.textContent);
    const box = document.getElementById(`chart-${data.number}`);
    box.hidden = false;  // it is drawn as wide as it is shown
    chart(data, box).catch((error) => {
      box.hidden = true;
      window.infoscopePage.say(`The picture cannot be explored here (${error.message}); the drawing stays.`);
    });
  }
})();
