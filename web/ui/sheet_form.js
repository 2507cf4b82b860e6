/** Walls on paper: which place, which panels, which sheet; the file comes down when it is drawn. */

import { getFile, getJson } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { byId, el, notice } from "./dom.js";
import { sentenceOf } from "./start.js";
import { toast } from "./toast.js";

/** How long a large sheet may take. */
const PATIENCE_MS = 120_000;

/** Papers too small for four panels on one sheet. */
const SMALL = new Set(["A4", "A3"]);

/** @typedef {{ code: string, name: string }} Place */

/** Fill the form with the places of the reader's territory, and let it print. */
export async function sheetForm() {
  const form = byId("sheet");
  const town = byId("town", HTMLSelectElement);
  const community = byId("community", HTMLSelectElement);
  const grid = byId("grid", HTMLSelectElement);
  const panel = byId("panel", HTMLSelectElement);
  const paper = byId("paper", HTMLSelectElement);
  const problem = byId("sheet-problem");
  /** @type {(Place & { level: string })[]} */
  let areas = [];

  /** @param {string} level @param {string} within */
  const of = (level, within) => areas.filter((area) => area.level === level && area.code.startsWith(within));

  async function fillCommunities() {
    // who answers for a single community has no township to choose
    fill(community, of("community", town.value), town.value ? _("整个乡镇(街道)") : undefined);
    return fillGrids();
  }

  async function fillGrids() {
    fill(grid, [], _("整个社区(村)"));
    if (!community.value) return;
    const asked = community.value;
    const { grids } = await getJson("/api/roster?limit=500&area=" + encodeURIComponent(asked));
    if (community.value !== asked) return;
    const found = grids.map((/** @type {any} */ one) => ({ code: one.grid_code, name: one.grid_name }));
    fill(grid, found.sort((/** @type {Place} */ a, /** @type {Place} */ b) => a.code.localeCompare(b.code)), _("整个社区(村)"));
  }

  /** @param {() => Promise<void>} act */
  async function attempt(act) {
    notice(problem, "");
    try {
      await act();
    } catch (error) {
      notice(problem, sentenceOf(error));
    }
  }

  async function print() {
    const button = byId("print", HTMLButtonElement);
    button.disabled = true;
    toast(_("正在绘制 …"));
    try {
      const { name, blob } = await getFile("/api/wall-files?" + wish(), PATIENCE_MS);
      const url = URL.createObjectURL(blob);
      el("a", { href: url, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(url), PATIENCE_MS);
      toast(_("图纸已下载：{name}", { name }));
    } finally {
      button.disabled = false;
    }
  }

  town.addEventListener("change", () => attempt(fillCommunities));
  panel.addEventListener("change", () => {
    // a quarter of a smaller sheet could not be read
    if (panel.value === "board" && SMALL.has(paper.value)) paper.value = "A2";
  });
  community.addEventListener("change", () => attempt(fillGrids));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(print);
  });
  await attempt(async () => {
    ({ areas } = await getJson("/api/roster?limit=1"));
    fill(town, of("township", ""));
    town.disabled = town.options.length === 0;
    await fillCommunities();
  });
}

/**
 * @param {HTMLSelectElement} select
 * @param {Place[]} places
 * @param {string} [whole] what stands for all of them
 */
function fill(select, places, whole) {
  const options = places.map(({ code, name }) => el("option", { value: code }, name));
  select.replaceChildren(...(whole === undefined ? [] : [el("option", { value: "" }, whole)]), ...options);
  select.disabled = whole !== undefined && places.length === 0;
}

/** What the form asks for, as a query. */
function wish() {
  /** @param {string} id */
  const value = (id) => byId(id, HTMLSelectElement).value;
  const place = ["grid", "community", "town"].find((id) => value(id)) ?? "town";
  const asked = new URLSearchParams({ [place]: value(place), format: value("format"), paper: value("paper") });
  const panel = value("panel");
  if (panel === "board") asked.set("board", "yes");
  else if (panel) asked.set("panel", panel);
  if (value("orientation")) asked.set("orientation", value("orientation"));
  asked.set("tier", value("tier"));
  return asked;
}
