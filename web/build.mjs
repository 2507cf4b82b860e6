// Fills web/vendor from node_modules: the map library as it is, the parts of the chart library that walls use and the
// reader of vector tiles as one module each, and one sprite of the icons that are really used. Then joins what each page, each
// worker and the wall's style is made of into one file, so that a screen fetches one instead of eighty.

import { createHash } from "node:crypto";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const WEB = dirname(fileURLToPath(import.meta.url));
const PACKAGES = join(WEB, "..", "node_modules");
const VENDOR = join(WEB, "vendor");

/** Names used as `icon("name")` in templates and modules, sorted. */
async function usedIcons() {
  const names = new Set();
  for (const folder of ["templates", "core", "map", "ui", "pages"]) {
    for (const entry of await readdir(join(WEB, folder))) {
      const text = await readFile(join(WEB, folder, entry), "utf8");
      for (const [, name] of text.matchAll(/\bicon\(["']([a-z0-9-]+)["']/g)) names.add(name);
    }
  }
  return [...names].sort();
}

/**
 * One `<symbol>` an icon; colours and widths come from the page's styles.
 * @param {string[]} names
 */
async function sprite(names) {
  const symbols = [];
  for (const name of names) {
    const svg = await readFile(join(PACKAGES, "heroicons", "24", "outline", `${name}.svg`), "utf8");
    const body = svg.slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>")).trim();
    // what the icon's own root said must stand on the symbol: a reference takes nothing else along
    symbols.push(
      `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.5">${body}</symbol>`,
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

/**
 * The parts of packages that are used, as one module with its types and licences.
 * @param {string} name of the module in web/vendor
 * @param {string} parts what it exports, and from where
 * @param {string[]} licences files below node_modules
 */
async function bundle(name, parts, licences) {
  await build({
    stdin: { contents: parts, resolveDir: join(WEB, "..") },
    bundle: true,
    format: "esm",
    minify: true,
    target: "es2022",
    legalComments: "none",
    logLevel: "warning",
    outfile: join(VENDOR, `${name}.js`),
  });
  await writeFile(join(VENDOR, `${name}.d.ts`), parts);
  const texts = await Promise.all(licences.map((file) => readFile(join(PACKAGES, file), "utf8")));
  await writeFile(join(VENDOR, `${name}.LICENSE`), texts.join("\n"));
}

/**
 * Pages, workers and the style of the wall, each in one file below web/vendor/joined, with `manifest.json`: which files each
 * was made of, and their hashes. The server gives out the one file as long as these are what lies on the disk, and else the
 * parts themselves.
 */
async function joinModules() {
  const folders = ["pages", "worker"];
  const names = await Promise.all(folders.map(async (folder) => (await readdir(join(WEB, folder))).map((name) => `${folder}/${name}`)));
  const { metafile } = await build({
    absWorkingDir: WEB,
    entryPoints: [...names.flat().filter((name) => name.endsWith(".js")), "styles/wall.css"],
    // pictures of controls that no page has, which the map library's style names
    loader: { ".png": "dataurl" },
    outbase: ".",
    outdir: "vendor/joined",
    bundle: true,
    format: "esm",
    // names stay: an error in a hall should still tell where it was
    minifyWhitespace: true,
    minifySyntax: true,
    target: "es2022",
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  /** @type {Record<string, Record<string, string>>} */
  const manifest = {};
  for (const { entryPoint, inputs } of Object.values(metafile.outputs)) {
    const hashes = Object.keys(inputs).map(async (name) => [name, createHash("sha256").update(await readFile(join(WEB, name))).digest("hex")]);
    manifest[String(entryPoint)] = Object.fromEntries(await Promise.all(hashes));
  }
  await writeFile(join(VENDOR, "joined", "manifest.json"), JSON.stringify(manifest));
  return names.flat().length;
}

await rm(VENDOR, { recursive: true, force: true });
await mkdir(VENDOR, { recursive: true });
const leaflet = await readFile(join(PACKAGES, "leaflet", "dist", "leaflet-src.esm.js"), "utf8");
// the map file is not shipped, so its address would only be a failing request in the developer tools
await writeFile(join(VENDOR, "leaflet.js"), leaflet.replace(/^\/\/# sourceMappingURL=.*$/m, ""));
// the same library as one plain script, for walls written to a file
const script = await readFile(join(PACKAGES, "leaflet", "dist", "leaflet.js"), "utf8");
await writeFile(join(VENDOR, "leaflet.script.js"), script.replace(/^\/\/# sourceMappingURL=.*$/m, ""));
await writeFile(join(VENDOR, "leaflet.d.ts"), 'export * from "leaflet";\n');
await cp(join(PACKAGES, "leaflet", "dist", "leaflet.css"), join(VENDOR, "leaflet.css"));
await cp(join(PACKAGES, "leaflet", "dist", "images"), join(VENDOR, "images"), { recursive: true });
await cp(join(PACKAGES, "leaflet", "LICENSE"), join(VENDOR, "leaflet.LICENSE"));
await bundle(
  "charts",
  `export { init, use } from "echarts/core";
export { BarChart, LineChart } from "echarts/charts";
export { GridComponent } from "echarts/components";
export { CanvasRenderer } from "echarts/renderers";
`,
  ["echarts/LICENSE"],
);
await bundle(
  "tiles",
  `export { VectorTile } from "@mapbox/vector-tile";
export { PbfReader } from "pbf";
`,
  ["@mapbox/vector-tile/LICENSE.txt", "@mapbox/point-geometry/LICENSE", "pbf/LICENSE"],
);
await cp(join(PACKAGES, "heroicons", "LICENSE"), join(VENDOR, "icons.LICENSE"));
const icons = await usedIcons();
await writeFile(join(VENDOR, "icons.svg"), await sprite(icons));
console.log(`web/vendor: leaflet, charts, tiles, ${icons.length} icons, ${await joinModules()} pages and workers`);
