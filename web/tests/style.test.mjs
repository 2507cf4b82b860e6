import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";

import { problemOf } from "../core/http.js";
import { certainty, placeOf } from "../core/place.js";
import { drawingOf, findingLook, legendOf, letteringOf, radiusAt, widthAt } from "../core/style.js";

/** @type {import("../core/types.js").Layer} */
const AREA = {
  name: "area",
  title: "行政区划",
  kind: "boundary",
  geometry: "MultiPolygon",
  key: "area_code",
  label: "area_name",
  popup: [],
  legend: true,
  order: 20,
  fields: [{ name: "admin_level", type: "text", title: "级别", choices: { county: "县", township: "乡镇", community: "社区" } }],
  style: {
    stroke: "--grid-line",
    width: 1.5,
    fill: "",
    fill_opacity: 0,
    radius: 4,
    shape: "circle",
    min_zoom: 0,
    classify: "admin_level",
    classes: {},
    widths: { community: 1.5, township: 2.5, county: 4 },
  },
  url: "/api/layers/area/features",
};

test("the border of a town is wider than that of a community", () => {
  assert.equal(drawingOf(AREA, { admin_level: "township" }).width, 2.5);
  assert.equal(drawingOf(AREA, { admin_level: "county" }).width, 4);
  assert.equal(drawingOf(AREA, null).width, 1.5);
});

test("a legend explains what is on the map and nothing else", () => {
  const titles = legendOf(AREA, new Set(["county", "township"])).map(({ title }) => title);
  assert.deepEqual(titles, ["乡镇", "县"]);
  assert.deepEqual(
    legendOf(AREA, new Set(["county", "province"])).map(({ title }) => title),
    ["行政区划", "县"],
  );
});

test("what a camera watches and whether it works are told apart without their colours", () => {
  /** @type {import("../core/types.js").Layer} */
  const camera = {
    ...AREA,
    name: "camera",
    title: "视频监控",
    geometry: "Point",
    fields: [
      { name: "site", type: "text", title: "部位", choices: { important: "重要部位", ordinary: "一般部位" } },
      { name: "status", type: "text", title: "状态", choices: { online: "在线", offline: "离线", fault: "故障" } },
    ],
    style: {
      ...AREA.style,
      classify: "site",
      classes: { ordinary: "--ink-2", important: "--accent" },
      radii: { important: 6.5 },
      state: "status",
      state_colour: "--overdue",
      marks: { online: "solid", offline: "hollow", fault: "crossed" },
    },
  };
  const looks = ["important", "ordinary"].flatMap((site) => ["online", "offline", "fault", ""].map((status) => drawingOf(camera, { site, status })));
  assert.equal(new Set(looks.map(({ radius, mark }) => radius + mark)).size, looks.length);
  // whoever may not see the state sees none
  assert.equal(drawingOf({ ...camera, style: { ...camera.style, state: null, marks: {} } }, { site: "ordinary" }).mark, "solid");
  const told = (/** @type {string[]} */ states) => legendOf(camera, new Set(["important", "ordinary"]), new Set(states)).map(({ title }) => title);
  assert.deepEqual(told(["fault", "online"]), ["一般部位", "重要部位", "故障"]);
  assert.deepEqual(told(["online", ""]), ["一般部位", "重要部位", "状态不明"]);
  assert.deepEqual(told(["online"]), ["一般部位", "重要部位"]);
});

test("hairlines thin out far away, wider borders do not", () => {
  assert.equal(widthAt(1, 15), 1);
  assert.equal(widthAt(1, 8), 0.5);
  assert.equal(widthAt(2.5, 8), 2.5);
  assert.equal(radiusAt(4, 15), 4);
  assert.equal(radiusAt(4, 8), 2);
});

test("towns are named before communities, the county not at all", () => {
  const rank = (/** @type {string} */ level) => letteringOf(AREA, { admin_level: level }, 12)?.rank;
  assert.equal(rank("township"), 0);
  assert.equal(rank("community"), 1);
  assert.equal(rank("county"), undefined);
});

test("kinds of findings differ in pattern, not in colour alone", () => {
  const patterns = ["gap", "overlap", "outside", "near_miss", "bad_code"].map((kind) => findingLook(kind).pattern);
  assert.equal(new Set(patterns).size, patterns.length);
});

test("a place is named below the county, whether codes or objects come", () => {
  const areas = ["云澜市", "澄野街道", "福居社区"].map((name) => ({ code: name, name }));
  const routed = { match: /** @type {const} */ ("inside"), grid: "g1", sub_grid: "g1-01" };
  const place = placeOf({ ...routed, responsible: { grid_name: "第一网格", areas } });
  assert.deepEqual(place, { grid: "第一网格", gridCode: "g1", subGrid: "g1-01", areas: ["澄野街道", "福居社区"] });
  assert.equal(placeOf({ match: "inside", grid: { grid_code: "g1", grid_name: "甲" } }).grid, "甲");
  assert.equal(placeOf({ match: "outside", grid: null }).grid, null);
});

test("doubt about a place is told, certainty is not", () => {
  assert.equal(certainty({ match: "inside", distance_m: 0 }), "");
  assert.match(certainty({ match: "outside", distance_m: 1500 }), /1\.5 千米/);
});

test("a problem is one sentence, whatever came back", () => {
  assert.equal(problemOf(422, { title: "a", detail: "b" }).message, "b");
  assert.equal(problemOf(409, { title: "a" }).message, "a");
  assert.match(problemOf(502, null).message, /502/);
});

test("sentences are never asked for inside a template literal, where the collector does not look", async () => {
  const web = new URL("../", import.meta.url);
  for (const folder of ["core", "map", "ui", "pages"]) {
    for (const name of (await readdir(new URL(folder, web))).filter((one) => one.endsWith(".js"))) {
      const text = await readFile(new URL(`${folder}/${name}`, web), "utf8");
      assert.doesNotMatch(text, /`[^`]*\$\{[^}]*\b_\(/, `${folder}/${name}`);
    }
  }
});

test("every token that a script or layer names is defined for light and dark", async () => {
  const css = await readFile(new URL("../styles/tokens.css", import.meta.url), "utf8");
  const [light = "", dark = ""] = css.split('[data-theme="dark"]');
  const layers = new URL("../../layers/", import.meta.url);
  const named = new Set(["--label", "--label-2", "--label-halo", "--map-ground", "--open", "--urgent", "--overdue", "--done"]);
  for (const name of await readdir(layers)) {
    const text = await readFile(new URL(name, layers), "utf8");
    for (const [, token = ""] of text.matchAll(/"(--[a-z0-9-]+)"/g)) named.add(token);
  }
  for (const kind of ["gap", "overlap", "outside", "near_miss", "bad_code"]) named.add(findingLook(kind).token);
  for (const token of named) {
    assert.ok(light.includes(`${token}:`), `${token} (light)`);
    assert.ok(dark.includes(`${token}:`), `${token} (dark)`);
  }
});

test("each room imports only the rooms below it, and only the map knows the map library, one module the charts", async () => {
  const rooms = ["core", "map", "ui", "pages"];
  const web = new URL("../", import.meta.url);
  for (const [rank, room] of rooms.entries()) {
    for (const name of (await readdir(new URL(room, web))).filter((one) => one.endsWith(".js"))) {
      const text = await readFile(new URL(`${room}/${name}`, web), "utf8");
      for (const [, path = ""] of text.matchAll(/^(?:import|export)[^"]*from "([^"]+)"/gm)) {
        const other = path.split("/")[1] ?? "";
        if (path.startsWith("./")) continue;
        if (path === "../vendor/charts.js") assert.equal(name, "chart.js", `${room}/${name} imports ${path}`);
        else if (other === "vendor") assert.equal(room, "map", `${room}/${name} imports ${path}`);
        else assert.ok(rooms.indexOf(other) < rank && rooms.includes(other), `${room}/${name} imports ${path}`);
      }
    }
  }
});

test("one module fetches", async () => {
  const web = new URL("../", import.meta.url);
  for (const room of ["core", "map", "ui", "pages"]) {
    for (const name of (await readdir(new URL(room, web))).filter((one) => one.endsWith(".js"))) {
      if (room + "/" + name === "core/http.js") continue;
      assert.doesNotMatch(await readFile(new URL(`${room}/${name}`, web), "utf8"), /\bfetch\(|XMLHttpRequest/, name);
    }
  }
});
