/* The 3D viewer of the page of a run: three lists choose a structure, keys and buttons turn it. */
"use strict";
(function () {
  const data = JSON.parse(document.getElementById("structures").textContent);
  const element = (id) => document.getElementById(id);
  const [dataset, set, state] = ["dataset", "set", "state"].map(element);
  const canvas = element("canvas"), said = element("said");
  let viewer = null, shown = {};

  function fill(list, names) {
    const before = list.value;
    list.replaceChildren(...names.map((name) => new Option(name, name)));
    if (names.includes(before)) list.value = before;
  }
  const entries = () => data.datasets[dataset.value].structures;
  const ofSet = () => entries().filter((one) => one.set === set.value);
  const label = (one) => `${one.state}, structure ${one.number}` + (one.why ? " (rejected)" : "");
  const chosen = () => ofSet().find((one) => label(one) === state.value);
  const unique = (names) => [...new Set(names)];

  function refill() {
    fill(set, unique(entries().map((one) => one.set)));
    fill(state, ofSet().map(label));
    draw();
  }
  function corners(cell) {
    const vector = (k) => ({ x: cell[3 * k], y: cell[3 * k + 1], z: cell[3 * k + 2] });
    const [a, b, c] = [0, 1, 2].map(vector);
    const at = (i, j, k) => ({ x: i * a.x + j * b.x + k * c.x, y: i * a.y + j * b.y + k * c.y,
      z: i * a.z + j * b.z + k * c.z });
    return { a, b, c, at };
  }
  function lines(ends, color) {
    for (const [start, end] of ends) viewer.addLine({ start, end, color, linewidth: 2 });
  }
  function drawCell(cell, color) {
    const { at } = corners(cell), ends = [];
    for (const i of [0, 1]) for (const j of [0, 1])
      ends.push([at(0, i, j), at(1, i, j)], [at(i, 0, j), at(i, 1, j)], [at(i, j, 0), at(i, j, 1)]);
    lines(ends, color);
  }
  function drawRegion(cell, heights) {
    const { c, at } = corners(cell);
    for (const height of heights) {
      const k = height / Math.abs(c.z || 1);
      const square = [at(0, 0, k), at(1, 0, k), at(1, 1, k), at(0, 1, k)];
      viewer.addCustom({ vertexArr: square, faceArr: [0, 1, 2, 0, 2, 3, 2, 1, 0, 3, 2, 0],
        normalArr: square.map(() => ({ x: 0, y: 0, z: 1 })), color: "#E69F00", opacity: 0.3 });
      lines(square.map((start, i) => [start, square[(i + 1) % 4]]), "#B36B00");
    }
  }
  function draw() {
    const one = chosen(), group = data.datasets[dataset.value];
    const marked = { close: element("close").checked, vacant: element("vacant").checked,
      region: element("region").checked };
    element("region").disabled = !group.region;
    element("vacant").disabled = !group.lattice;
    const counts = {};
    for (const symbol of one.symbols) counts[symbol] = (counts[symbol] || 0) + 1;
    const formula = Object.entries(counts).map(([symbol, n]) => `${symbol}${n}`).join(" ");
    element("legend").replaceChildren(...Object.keys(counts).map((symbol) => {
      const item = document.createElement("li"), dot = document.createElement("span");
      dot.className = "swatch";
      dot.style.background = data.colors[symbol];
      item.append(dot, symbol);
      return item;
    }));
    const facts = [`${one.set}, ${label(one)}: ${formula}.`,
      one.n_close ? `${one.n_close} pairs of atoms closer than 1.5 Å.` : "No atoms closer than 1.5 Å.",
      group.lattice ? `${one.vacant.length} sites of the lattice are vacant.` : "", one.why || ""];
    said.textContent = facts.filter(Boolean).join(" ");
    canvas.setAttribute("aria-label", `3D picture. ${said.textContent} Arrow keys turn it, plus and minus zoom.`);
    if (!viewer) return;
    const style = getComputedStyle(document.body), close = new Set(one.close);
    viewer.clear();
    viewer.setBackgroundColor(getComputedStyle(canvas).backgroundColor);
    const model = viewer.addModel();
    model.addAtoms(one.symbols.map((elem, i) => ({ elem, serial: i, bonds: [], bondOrder: [],
      x: one.xyz[3 * i], y: one.xyz[3 * i + 1], z: one.xyz[3 * i + 2] })));
    for (const [elem, color] of Object.entries(data.colors))
      model.setStyle({ elem }, { sphere: { scale: 0.32, color } });
    if (marked.close) for (const i of close)
      viewer.addSphere({ center: { x: one.xyz[3 * i], y: one.xyz[3 * i + 1], z: one.xyz[3 * i + 2] },
        radius: 0.75, color: "#E6007A", opacity: 0.55 });
    if (marked.vacant) for (const [x, y, z] of one.vacant)
      viewer.addSphere({ center: { x, y, z }, radius: 0.7, color: style.color, wireframe: true });
    drawCell(one.cell, style.color);
    if (marked.region && group.region) drawRegion(one.cell, group.region);
    viewer.zoomTo();
    if (one !== shown.one && dataset.value !== shown.dataset) turnHome(group);
    shown = { one, dataset: dataset.value };
    viewer.render();
  }
  function turnHome(group) {
    viewer.setView([0, 0, 0, 0, 0, 0, 0, 1]);
    viewer.zoomTo();
    viewer.rotate(group.upright ? -80 : -15, "x");
    viewer.rotate(15, "y");
    if (group.upright) viewer.zoom(1.4);
  }
  const turns = { ArrowLeft: [-15, "y"], ArrowRight: [15, "y"], ArrowUp: [-15, "x"], ArrowDown: [15, "x"] };
  function act(key) {
    if (!viewer) return false;
    if (turns[key]) viewer.rotate(...turns[key]);
    else if (key === "+" || key === "=") viewer.zoom(1.2);
    else if (key === "-") viewer.zoom(1 / 1.2);
    else if (key === "0") turnHome(data.datasets[dataset.value]);
    else return false;
    viewer.render();
    return true;
  }
  try {
    viewer = $3Dmol.createViewer(canvas, { antialias: true, disableFog: true });
    viewer.getCanvas().setAttribute("aria-hidden", "true");
  } catch (error) {
    viewer = null;
  }
  if (!viewer) canvas.textContent = "This browser draws no 3D; the pictures above show the same sets.";
  canvas.addEventListener("keydown", (event) => { if (act(event.key)) event.preventDefault(); });
  for (const button of document.querySelectorAll("button[data-key]"))
    button.addEventListener("click", () => act(button.dataset.key));
  dataset.addEventListener("change", refill);
  set.addEventListener("change", refill);
  for (const id of ["state", "close", "vacant", "region"]) element(id).addEventListener("change", draw);
  for (const button of document.querySelectorAll("button[data-show]"))
    button.addEventListener("click", () => {
      dataset.value = button.dataset.show;
      refill();
      element("viewer").scrollIntoView();
      dataset.focus();
    });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  fill(dataset, Object.keys(data.datasets));
  refill();
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((one) => { one.open = false; }));
})();
