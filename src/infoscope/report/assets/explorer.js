"use strict";
// Points that can be looked at: two coordinates, a colour, one selection that everything on the page follows.
(() => {
  const { say, copy } = window.infoscopePage;
  const LISTED = 200;  // points of a selection that are listed
  const FORMULA = /^[=+\-@\t\r]/;

  const element = (name, said = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(said)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value !== false && value !== undefined) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  };
  const button = (text, onclick, said = {}) => element("button", { type: "button", onclick, ...said }, text);

  // ------------------------------------------------------------------------------------------------- what was packed
  const unpackBytes = async (text) => {
    const letters = atob(text);
    const bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };
  const unpackColumn = (bytes, part) => {
    const size = Number(part.type.slice(1));
    const mixed = new Uint8Array(part.n * size);
    for (let plane = 0; plane < size; plane++) {
      const start = part.start + plane * part.n;
      for (let i = 0; i < part.n; i++) mixed[i * size + plane] = bytes[start + i];
    }
    const kinds = { i4: Int32Array, u2: Uint16Array, f4: Float32Array, f8: Float64Array };
    const stored = new kinds[part.type](mixed.buffer);
    if (part.type[0] === "f") return stored;
    const values = new Float64Array(part.n);
    let sum = 0;
    for (let i = 0; i < part.n; i++) {
      if (part.type === "i4") values[i] = sum += stored[i];
      else values[i] = stored[i] === 65535 ? NaN : part.low + part.step * stored[i];
    }
    return values;
  };
  const unpack = async (given) => {
    const bytes = await unpackBytes(given.text);
    const columns = Object.fromEntries(given.parts.map((part) => [part.name, unpackColumn(bytes, part)]));
    const ids = given.ids ? JSON.parse(new TextDecoder().decode(await unpackBytes(given.ids))) : null;
    return { ...given, columns, ids, n: columns.group.length };
  };

  // ---------------------------------------------------------------------------------------------------- words of points
  const number = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(6))) : "–");
  const percent = (share) => `${Number((100 * share).toPrecision(3))} %`;
  const timeOf = (data, i) => {
    const time = data.columns.time[i];
    return data.dated && Number.isFinite(time) ? new Date(time).toISOString().replace("T00:00:00.000Z", "") : number(time);
  };
  const fileOf = (data, i) => data.files[data.columns.file ? data.columns.file[i] : 0];
  const groupOf = (data, i) => {
    const { name } = data.groups[data.columns.group[i]];
    return name.startsWith(`${data.word} `) ? name.slice(data.word.length + 1) : name;
  };
  // signs that are not seen are written out, as everywhere on the page
  const seen = (text) => String(text).replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const factsOf = (data, i) => {
    const facts = data.ids ? [["id", seen(data.ids[i])]] : [];
    facts.push([data.kind, String(data.columns.row[i])]);
    if (data.files.length) facts.push(["file", seen(fileOf(data, i))]);
    if (data.columns.time) facts.push(["time", timeOf(data, i)]);
    if (data.groups.length > 1) facts.push([data.word, groupOf(data, i)]);
    [...data.coordinates, ...data.values].forEach((name, c) => facts.push([name, number(data.columns[`c${c}`][i])]));
    return facts;
  };

  // ------------------------------------------------------------------------------------------------------------- tables
  const cell = (value) => {
    let text = String(value);
    if (typeof value === "string" && FORMULA.test(text) && !Number.isFinite(Number(text))) text = `'${text}`;
    text = text.replace(/\r\n?/g, "\n");
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const csvOf = (data, chosen) => {
    const names = [...(data.ids ? ["id"] : []), ...(data.files.length ? ["file"] : []), data.kind,
      ...(data.columns.time ? ["time"] : []), ...(data.groups.length > 1 ? [data.word] : []),
      ...data.coordinates, ...data.values];
    const lines = [names.map(cell).join(",")];
    for (const i of chosen) {
      const row = [...(data.ids ? [data.ids[i]] : []), ...(data.files.length ? [fileOf(data, i)] : []), data.columns.row[i],
        ...(data.columns.time ? [data.dated ? timeOf(data, i) : data.columns.time[i]] : []),
        ...(data.groups.length > 1 ? [groupOf(data, i)] : [])];
      for (let c = 0; c < data.coordinates.length + data.values.length; c++) row.push(Number(data.columns[`c${c}`][i].toPrecision(7)));
      lines.push(row.map(cell).join(","));
    }
    return `${lines.join("\n")}\n`;
  };
  const download = (text, name) => {
    const place = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    element("a", { href: place, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(place), 10000);
  };

  // ------------------------------------------------------------------------------------------------------------ picture
  const colourOf = (data, name) => {
    if (name === "group") {
      const palette = data.groups.map((group) => group.colour);
      return [data.columns.group, new Bokeh.LinearColorMapper({ palette, low: -0.5, high: palette.length - 0.5 })];
    }
    const values = data.columns[name];
    const finite = Array.from(values).filter(Number.isFinite).sort((a, b) => a - b);
    const at = (share) => finite[Math.floor(share * (finite.length - 1))] ?? 0;
    return [values, new Bokeh.LinearColorMapper({ palette: data.scale, low: at(0.01), high: at(0.99), nan_color: "#bbbbbb" })];
  };
  const draw = (data, chosen, place) => {
    const [colour, mapper] = colourOf(data, chosen.colour);
    const source = new Bokeh.ColumnDataSource({
      data: { x: data.columns[chosen.x], y: data.columns[chosen.y], colour },
    });
    const figure = Bokeh.Plotting.figure({
      tools: "pan,wheel_zoom,box_zoom,lasso_select,box_select,reset",
      sizing_mode: "stretch_width", height: 460, toolbar_location: "above", output_backend: "canvas",
      lod_threshold: 20000, min_border: 10,
    });
    figure.toolbar.logo = null;
    const size = data.n > 20000 ? 2.5 : data.n > 2000 ? 4 : 6;
    const fill_color = { field: "colour", transform: mapper };
    const dots = figure.scatter({ field: "x" }, { field: "y" }, {
      source, size, fill_color, line_color: null, fill_alpha: 0.85,
      selection_fill_color: fill_color, selection_line_color: "#000000", selection_line_width: data.n > 20000 ? 0 : 0.6,
      nonselection_fill_color: "#c8c8c8", nonselection_fill_alpha: 0.35, nonselection_line_color: null,
    });
    const marks = new Bokeh.ColumnDataSource({ data: {
      x: data.marks.map((mark) => mark.at[Number(chosen.x.slice(1))]), y: data.marks.map((mark) => mark.at[Number(chosen.y.slice(1))]),
      text: data.marks.map((mark) => mark.text),
    } });
    figure.scatter({ field: "x" }, { field: "y" }, { source: marks, size: 19, fill_color: "#ffffff", line_color: "#000000", level: "overlay" });
    figure.text({ field: "x" }, { field: "y" }, { field: "text" }, {
      source: marks, text_align: "center", text_baseline: "middle", text_font_size: "11px", text_color: "#000000", level: "overlay",
    });
    figure.add_tools(new Bokeh.HoverTool({ tooltips: null, renderers: [dots] }));
    for (const tool of figure.toolbar.tools) if ("renderers" in tool && tool.renderers === "auto") tool.renderers = [dots];
    return { figure, source, shown: Bokeh.Plotting.show(figure, place) };
  };

  // ----------------------------------------------------------------------------------------------------------- explorer
  const explore = async (data, box) => {
    const names = [...data.coordinates, ...data.values];
    const first = data.groups.length > 1 || !data.values.length ? "group" : `c${data.coordinates.length}`;
    const chosen = { x: "c0", y: data.coordinates.length > 1 ? "c1" : `c${Math.min(1, names.length - 1)}`, colour: first };
    const id = (what) => `${what}-${data.number}`;
    let selected = [];

    const list = (what, label, extra) => element("span", {}, element("label", { for: id(what) }, label), " ", element("select", {
      id: id(what), onchange: (event) => { chosen[what] = event.target.value; look(); },
    }, ...extra, ...names.map((name, c) => element("option", { value: `c${c}`, selected: chosen[what] === `c${c}` }, name))));
    const groupOption = data.groups.length > 1 ? [element("option", { value: "group", selected: first === "group" }, data.word)] : [];
    const place = element("div", { class: "canvas" });
    const reading = element("p", { class: "reading", "aria-hidden": "true" });
    const size = element("p", { class: "size", role: "status", id: id("size") });
    const shares = element("div", {});
    const listed = element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Selected points" });
    const command = element("pre", { id: id("extract"), tabindex: "0" });
    const copies = button("Copy command", () => copy(command.textContent, command));
    const rows = button(`Copy ${data.kind} numbers`, () => copy(selected.map((i) => data.columns.row[i]).join(" "), size));
    const table = button("Download CSV", () => download(csvOf(data, selected), "selection.csv"));
    const clear = button("Clear", () => select([]));
    const after = element("div", { class: "selection", hidden: true },
      shares, element("div", { class: "buttons" }, table, rows, clear),
      ...(data.extract ? [element("p", {}, "Fetch them from the files, beside the download:"), command, copies] : []), listed);

    const bounds = ["from", "to"].map((end) => ["x", "y"].map((axis) => element("input", {
      type: "number", step: "any", size: "7", "aria-label": `${axis} ${end}`, class: `bound-${axis}-${end}`,
    })));
    const inBox = () => {
      const [[x0, y0], [x1, y1]] = bounds.map((pair) => pair.map((field) => (field.value === "" ? NaN : Number(field.value))));
      const within = (value, low, high) => !(value < low) && !(value > high) && !Number.isNaN(value);
      const [x, y] = [data.columns[chosen.x], data.columns[chosen.y]];
      const found = [];
      for (let i = 0; i < data.n; i++) if (within(x[i], x0, x1) && within(y[i], y0, y1)) found.push(i);
      select(found);
    };
    const range = element("details", {}, element("summary", {}, "Select by numbers"), element("div", { class: "buttons" },
      "across", bounds[0][0], "to", bounds[1][0], " up", bounds[0][1], "to", bounds[1][1], button("Select", inBox)));

    const buttons = data.groups.map((group, g) => {
      const swatch = element("span", { class: "swatch" });
      swatch.style.background = group.colour;
      const share = data.columns.weight || data.n < data.items ? `, ${percent(group.share)} of the weight` : `, ${percent(group.share)}`;
      const made = button("", () => pick(g), { "aria-pressed": "false", "data-group": g });
      made.append(swatch, `${group.name}: ${group.count.toLocaleString("en")}${share}`);
      return made;
    });
    const groupList = data.groups.length > 1 ? [element("div", { class: "groups", role: "group", "aria-label": `Select a ${data.word}` }, ...buttons)] : [];

    box.replaceChildren(
      element("div", { class: "buttons" }, list("x", "Across", []), list("y", "Up", []), list("colour", "Colour", groupOption)),
      place, reading,
      element("p", { class: "aside" }, "Point at an item to read it. Draw around items with the lasso or the box, or choose them below."),
      ...groupList, range, size, after);

    let { figure, source, shown } = draw(data, chosen, place);
    const follow = () => {
      const plain = (text) => new Bokeh.PlainText({ text: text.length > 80 ? `${text.slice(0, 79)}…` : text });  // no formula
      figure.below[0].axis_label = plain(names[Number(chosen.x.slice(1))]);
      figure.left[0].axis_label = plain(names[Number(chosen.y.slice(1))]);
      source.selected.properties.indices.change.connect(() => show(source.selected.indices));
      source.inspect.connect(() => read(source.inspected.indices));
    };
    const look = () => {
      place.replaceChildren();
      ({ figure, source } = draw(data, chosen, place));
      follow();
      source.selected.indices = selected;
    };
    const read = (indices) => {
      reading.textContent = indices.length ? factsOf(data, indices[0]).map(([name, value]) => `${name} ${value}`).join("   ") +
        (indices.length > 1 ? `   (and ${indices.length - 1} more here)` : "") : "";
    };
    const select = (indices) => { source.selected.indices = indices; };
    const pick = (g) => {
      const members = [];
      for (let i = 0; i < data.n; i++) if (data.columns.group[i] === g) members.push(i);
      select(members);
    };
    const show = (indices) => {
      selected = indices;
      after.hidden = !indices.length;
      const sums = data.groups.map(() => [0, 0]);
      let all = 0;
      for (const i of indices) {
        const weight = data.columns.weight ? data.columns.weight[i] : 1 / data.n;
        const sum = sums[data.columns.group[i]];
        sum[0] += 1;
        sum[1] += weight;
        all += weight;
      }
      size.textContent = indices.length
        ? `${indices.length.toLocaleString("en")} of ${data.n.toLocaleString("en")} points selected, ${percent(all)} of the weight.`
        : "";
      const whole = data.groups.findIndex((group, g) => sums[g][0] && sums[g][0] === indices.length && sums[g][0] === counts[g]);
      mark(whole);
      if (!indices.length) return;
      const head = element("tr", {}, ...[data.word, "selected", "of all its points", "share of the weight"].map((name) => element("th", { scope: "col" }, name)));
      const lines = data.groups.map((group, g) => [g, group]).filter(([g]) => sums[g][0]).map(([g, group]) => element("tr", {},
        element("th", { scope: "row" }, group.name), ...[sums[g][0].toLocaleString("en"), percent(sums[g][0] / counts[g]), percent(sums[g][1])].map((text) => element("td", {}, text))));
      shares.replaceChildren(...(data.groups.length > 1 ? [element("table", {}, element("thead", {}, head), element("tbody", {}, ...lines))] : []));
      const known = whole >= 0 ? data.groups[whole].extract : "";
      command.textContent = known
        ? `${data.extract} ${known} -o ${data.word}${data.suffix}`
        : `${data.extract} --items selection.csv -o selected${data.suffix}`;
      const some = indices.slice(0, LISTED).map((i) => factsOf(data, i));
      listed.replaceChildren(element("table", { class: "plain" },
        element("caption", {}, indices.length > LISTED ? `The first ${LISTED} of them` : "All of them"),
        element("thead", {}, element("tr", {}, ...some[0].map(([name]) => element("th", { scope: "col" }, name)))),
        element("tbody", {}, ...some.map((facts) => element("tr", {}, ...facts.map(([, value]) => element("td", { class: "short" }, value)))))));
    };
    const counts = data.groups.map(() => 0);
    for (let i = 0; i < data.n; i++) counts[data.columns.group[i]] += 1;

    // rows of the table of the result: a button in the first cell, and the whole row for the mouse
    const article = box.closest("article");
    const tableRows = [...article.querySelectorAll("tr[data-group]")];
    for (const row of tableRows) {
      const g = Number(row.dataset.group);
      const head = row.firstElementChild;
      const made = button(head.textContent, () => pick(g), { "aria-pressed": "false", class: "pick", "data-group": g });
      head.replaceChildren(made);
      row.classList.add("picks");
      row.addEventListener("click", (event) => { if (event.target !== made) pick(g); });
    }
    const mark = (whole) => {
      for (const one of article.querySelectorAll("button[data-group]")) {
        one.setAttribute("aria-pressed", String(Number(one.dataset.group) === whole));
      }
      box.dispatchEvent(new CustomEvent("picked", { detail: data.groups[whole]?.extract === "--flagged" ? -1 : whole }));
      for (const row of tableRows) row.classList.toggle("picked", Number(row.dataset.group) === whole);
    };
    follow();
    show([]);
    await shown;
    article.classList.add("explored");
    box.dataset.ready = "yes";
  };

  const start = async () => {
    for (const block of document.querySelectorAll("script[id^=points-]")) {
      const data = await unpack(JSON.parse(block.textContent));
      const box = document.getElementById(`explorer-${data.number}`);
      box.hidden = false;  // it is drawn as wide as it is shown
      await explore(data, box);
    }
  };
  start().catch((error) => say(`The picture cannot be explored here (${error.message}); the drawing is below.`));
})();
