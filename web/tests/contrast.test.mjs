import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { classToken } from "../core/classes.js";

const CSS = readFileSync(new URL("../styles/tokens.css", import.meta.url), "utf8");
/** Grids are filled by number at this opacity over the ground of the map. */
const FILL = 0.62;

/** @param {"light" | "dark"} theme */
function tokens(theme) {
  const [light, dark] = CSS.split('[data-theme="dark"]');
  const text = theme === "light" ? light : dark;
  return Object.fromEntries([...text.matchAll(/(--[a-z0-9-]+):\s*(#[0-9a-f]{6});/g)].map(([, name, value]) => [name, rgb(value)]));
}

function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
}

const linear = (colour) => colour.map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
const dot = (row, colour) => row[0] * colour[0] + row[1] * colour[1] + row[2] * colour[2];
const luminance = (colour) => dot([0.2126, 0.7152, 0.0722], linear(colour));

function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** What somebody without green cones sees (Machado, Oliveira and Fernandes 2009, severity 1), in linear light. */
function deuteranopia(colour) {
  const seen = linear(colour);
  const matrix = [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ];
  return matrix.map((row) => Math.min(1, Math.max(0, dot(row, seen))));
}

/** CIE L*a*b* of linear light. */
function lab(light) {
  const white = [0.95047, 1, 1.08883];
  const xyz = [
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.072175],
    [0.0193339, 0.119192, 0.9503041],
  ].map((row, index) => dot(row, light) / white[index]);
  const [x, y, z] = xyz.map((one) => (one > 0.008856 ? Math.cbrt(one) : 7.787 * one + 16 / 116));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const apart = (one, other) => Math.hypot(...lab(one).map((part, index) => part - lab(other)[index]));
const over = (colour, ground) => colour.map((one, index) => one * FILL + ground[index] * (1 - FILL));

test("what is read on a panel of the wall stands off it (WCAG AAA; figures are large text)", () => {
  const dark = tokens("dark");
  const panel = dark["--panel-solid"];
  for (const token of ["--ink", "--ink-2"]) assert.ok(contrast(dark[token], panel) >= 7, token);
  for (const token of ["--ink", "--urgent", "--overdue", "--done"]) assert.ok(contrast(dark[token], panel) >= 4.5, token);
  // bars, marks and lines of charts
  for (const token of ["--open", "--urgent", "--overdue", "--done", "--accent"]) assert.ok(contrast(dark[token], panel) >= 3, token);
  // the badge of what is old
  assert.ok(contrast(dark["--ground"], dark["--overdue"]) >= 7);
});

test("names on the map stand off every class of numbers and the ground", () => {
  const dark = tokens("dark");
  // letters have a halo of the ground's colour as wide as their strokes
  for (const token of ["--label", "--label-2"]) assert.ok(contrast(dark[token], dark["--label-halo"]) >= 7, token);
});

test("borders of areas stand off those of grids, and both off the ground", () => {
  for (const theme of ["light", "dark"]) {
    const all = tokens(theme);
    const ground = all["--map-ground"];
    assert.ok(contrast(all["--area-line"], ground) >= 1.6 * contrast(all["--grid-line"], ground), theme);
    assert.ok(contrast(all["--grid-line"], ground) >= 3, theme);
  }
});

test("classes of numbers differ for everybody and for who sees no green, and grow steadily", () => {
  const dark = tokens("dark");
  const ground = dark["--map-ground"];
  for (let classes = 2; classes <= 5; classes += 1) {
    const fills = Array.from({ length: classes }, (_class, index) => over(dark[classToken(index, classes)], ground));
    for (const see of [linear, deuteranopia]) {
      const seen = fills.map(see);
      const lights = seen.map((light) => lab(light)[0]);
      assert.deepEqual(lights, [...lights].sort((a, b) => a - b));
      seen.slice(1).forEach((light, index) => assert.ok(apart(light, seen[index]) >= 8, `${classes} classes, step ${index}`));
      // a grid without a number is filled like the ground
      assert.ok(apart(seen[0], see(ground)) >= 12, `${classes} classes, the lowest`);
    }
  }
});

test("states on the wall differ for who sees no green, by colour and not by shape alone", () => {
  const dark = tokens("dark");
  const states = ["--open", "--urgent", "--overdue", "--done"];
  for (const one of states) {
    for (const other of states) {
      if (one < other) assert.ok(apart(deuteranopia(dark[one]), deuteranopia(dark[other])) >= 20, `${one} ${other}`);
    }
  }
});
