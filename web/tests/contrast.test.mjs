import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { classToken } from "../core/classes.js";

const CSS = readFileSync(new URL("../styles/tokens.css", import.meta.url), "utf8");
/** Grids are filled by number at this opacity over the ground of the map. */
const FILL = 0.62;

/** @typedef {[number, number, number]} Three */

/**
 * @param {"light" | "dark"} theme
 * @returns {(token: string) => Three} the colour of a token, sRGB 0…1
 */
function tokens(theme) {
  const [light = "", dark = ""] = CSS.split('[data-theme="dark"]');
  const found = new Map([...(theme === "light" ? light : dark).matchAll(/(--[a-z0-9-]+):\s*(#[0-9a-f]{6});/g)].map(([, name = "", value = ""]) => [name, rgb(value)]));
  return (token) => /** @type {Three} */ (found.get(token) ?? assert.fail(token));
}

/** @param {string} hex */
function rgb(hex) {
  return three((at) => parseInt(hex.slice(1 + 2 * at, 3 + 2 * at), 16) / 255);
}

/** @param {(index: 0 | 1 | 2) => number} of @returns {Three} */
function three(of) {
  return [of(0), of(1), of(2)];
}

/** @param {Three} colour */
const linear = (colour) => three((at) => channel(colour[at]));
/** @param {number} one */
const channel = (one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
/** @type {(row: Three, colour: Three) => number} */
const dot = (row, colour) => row[0] * colour[0] + row[1] * colour[1] + row[2] * colour[2];
/** @param {Three} colour */
const luminance = (colour) => dot([0.2126, 0.7152, 0.0722], linear(colour));

/** @type {(one: Three, other: Three) => number} */
function contrast(one, other) {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** @type {[Three, Three, Three]} */
const DEUTERANOPIA = [
  [0.367322, 0.860646, -0.227968],
  [0.280085, 0.672501, 0.047413],
  [-0.01182, 0.04294, 0.968881],
];
/** @type {[Three, Three, Three]} */
const PROTANOPIA = [
  [0.152286, 1.052583, -0.204868],
  [0.114503, 0.786281, 0.099216],
  [-0.003882, -0.048116, 1.051998],
];
/** @type {[Three, Three, Three]} */
const TRITANOPIA = [
  [1.255528, -0.076749, -0.178779],
  [-0.078411, 0.930809, 0.147602],
  [0.004733, 0.691367, 0.3039],
];
/** @type {[Three, Three, Three]} */
const XYZ = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];
/** @type {Three} */
const WHITE = [0.95047, 1, 1.08883];

/**
 * What somebody sees who lacks one kind of cones (Machado, Oliveira and Fernandes 2009, severity 1), in linear light.
 * @type {(rows: [Three, Three, Three]) => (colour: Three) => Three}
 */
const without = (rows) => (colour) => {
  const seen = linear(colour);
  return three((at) => Math.min(1, Math.max(0, dot(rows[at], seen))));
};
const [deuteranopia, protanopia, tritanopia] = [without(DEUTERANOPIA), without(PROTANOPIA), without(TRITANOPIA)];

/** CIE L*a*b* of linear light. @param {Three} light */
function lab(light) {
  const root = (/** @type {number} */ one) => (one > 0.008856 ? Math.cbrt(one) : 7.787 * one + 16 / 116);
  const [x, y, z] = three((at) => root(dot(XYZ[at], light) / WHITE[at]));
  return three((at) => [116 * y - 16, 500 * (x - y), 200 * (y - z)][at] ?? 0);
}

/** How far two colours in linear light are apart. @type {(one: Three, other: Three) => number} */
const apart = (one, other) => {
  const [a, b] = [lab(one), lab(other)];
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
};
/** @type {(colour: Three, ground: Three) => Three} */
const over = (colour, ground) => three((at) => colour[at] * FILL + ground[at] * (1 - FILL));

test("what is read on a panel of the wall stands off it (WCAG AAA; figures are large text)", () => {
  const dark = tokens("dark");
  const panel = dark("--panel-solid");
  for (const token of ["--ink", "--ink-2"]) assert.ok(contrast(dark(token), panel) >= 7, token);
  for (const token of ["--ink", "--urgent", "--overdue", "--done"]) assert.ok(contrast(dark(token), panel) >= 4.5, token);
  // bars, marks and lines of charts
  for (const token of ["--open", "--urgent", "--overdue", "--done", "--accent"]) assert.ok(contrast(dark(token), panel) >= 3, token);
  // the badge of what is old
  assert.ok(contrast(dark("--ground"), dark("--overdue")) >= 7);
});

test("names on the map stand off every class of numbers and the ground", () => {
  const dark = tokens("dark");
  // letters have a halo of the ground's colour as wide as their strokes
  for (const token of ["--label", "--label-2"]) assert.ok(contrast(dark(token), dark("--label-halo")) >= 7, token);
});

test("borders of areas stand off those of grids, and both off the ground", () => {
  for (const theme of /** @type {const} */ (["light", "dark"])) {
    const all = tokens(theme);
    const ground = all("--map-ground");
    assert.ok(contrast(all("--area-line"), ground) >= 1.6 * contrast(all("--grid-line"), ground), theme);
    assert.ok(contrast(all("--grid-line"), ground) >= 3, theme);
  }
});

test("classes of numbers differ for everybody and for who sees no green, red or blue, and grow steadily", () => {
  const dark = tokens("dark");
  const ground = dark("--map-ground");
  for (let classes = 2; classes <= 5; classes += 1) {
    const fills = Array.from({ length: classes }, (_class, index) => over(dark(classToken(index, classes)), ground));
    for (const see of [linear, deuteranopia, protanopia, tritanopia]) {
      const seen = fills.map(see);
      const lights = seen.map((light) => lab(light)[0]);
      assert.deepEqual(lights, [...lights].sort((a, b) => a - b));
      // a grid without a number is filled like the ground
      const steps = [see(ground), ...seen];
      seen.forEach((light, index) => {
        const before = steps[index] ?? light;
        assert.ok(apart(light, before) >= (index === 0 ? 12 : 8), `${classes} classes, step ${index}`);
      });
    }
  }
});

test("states on the wall differ for who sees no green or no red, by colour and not by shape alone", () => {
  const dark = tokens("dark");
  const states = ["--open", "--urgent", "--overdue", "--done"];
  for (const one of states) {
    for (const other of states) {
      if (one >= other) continue;
      for (const see of [deuteranopia, protanopia]) assert.ok(apart(see(dark(one)), see(dark(other))) >= 20, `${one} ${other}`);
    }
  }
});
