/** The import page: files in, findings on the map, and a generation to publish or throw away. */

import { coordinateSystems, datums } from "../core/crs.js";
import { isAcceptable, totals } from "../core/finding.js";
import { count, dayAndTime } from "../core/formats.js";
import { getJson, Problem, sendJson } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { CityMap } from "../map/city_map.js";
import { acceptForm } from "../ui/accept_form.js";
import { byId, el, icon, notice, setText } from "../ui/dom.js";
import { FindingList } from "../ui/finding_list.js";
import { runImport } from "../ui/import_job.js";
import { LayerLoader } from "../ui/layer_loader.js";
import { legend } from "../ui/legend.js";
import { popup } from "../ui/popup.js";
import { Mending } from "../ui/mending.js";
import { movedIncidents } from "../ui/moved_incidents.js";
import { sentenceOf, start } from "../ui/start.js";
import { toast } from "../ui/toast.js";

/** @typedef {import("../core/types.js").Layer} Layer */
/** @typedef {import("../core/types.js").Generation} Generation */
/** @typedef {import("../core/types.js").Finding} Finding */

await start();
const form = byId("import", HTMLFormElement);
const layerChoice = byId("layer", HTMLSelectElement);
const files = byId("files", HTMLInputElement);
const crs = byId("crs", HTMLSelectElement);
const crsOther = byId("crs-other", HTMLInputElement);
const datum = byId("datum", HTMLSelectElement);
const begin = byId("start", HTMLButtonElement);
const result = byId("result");
const problem = byId("problem");
const map = new CityMap(byId("map"));
/** @type {Finding[]} those of the generation that is shown */
let findings = [];
const findingList = new FindingList(map, { mending: mendingOf, accepting: acceptanceOf });
const mending = new Mending(map, { attempt, proposed: () => findingList.showMending(), done: showMended });
/** @type {Layer[]} */
let layers = [];
/** @type {LayerLoader} */
let loader;
/** @type {Generation | null} the one whose findings are shown */
let shown = null;

/** @returns {Layer} */
function chosenLayer() {
  const layer = layers.find(({ name }) => name === layerChoice.value);
  if (!layer) throw new Error("no layer is chosen");
  return layer;
}

/**
 * @param {HTMLSelectElement} select
 * @param {{value: string, words: string}[]} choices
 */
function fill(select, choices) {
  select.replaceChildren(...choices.map(({ value, words }) => el("option", { value }, words)));
}

/** Points may come in four datums that look alike, so the choice is forced; lines and polygons state theirs. */
function showChoices() {
  const isPoint = chosenLayer().geometry === "Point";
  byId("datum-field").hidden = !isPoint;
  datum.required = isPoint;
  byId("crs-other-field").hidden = crs.value !== "other";
  crsOther.required = crs.value === "other";
}

function showFiles() {
  const chosen = [...(files.files ?? [])];
  byId("chosen").hidden = chosen.length === 0;
  byId("chosen").replaceChildren(...chosen.map(({ name }) => el("li", {}, name)));
}

/** @param {SubmitEvent} event */
async function send(event) {
  event.preventDefault();
  const body = new FormData();
  for (const file of files.files ?? []) body.append("file", file);
  const stated = crs.value === "other" ? crsOther.value.trim() : crs.value;
  if (stated) body.set("crs", stated);
  const encoding = byId("encoding", HTMLSelectElement).value;
  if (encoding) body.set("encoding", encoding);
  if (datum.required) body.set("datum", datum.value);
  begin.disabled = true;
  result.hidden = true;
  byId("progress-box").hidden = false;
  await attempt(async () => {
    const job = await runImport(layerChoice.value, body, showProgress);
    await showGenerations();
    if (job.generation !== null) await showResult(job.generation);
    else showRowProblems(job.problems);
  });
  begin.disabled = false;
  byId("progress-box").hidden = true;
}

/**
 * @param {string} words
 * @param {number | null} share
 */
function showProgress(words, share) {
  setText(byId("progress-words"), words);
  const bar = byId("progress", HTMLProgressElement);
  if (share === null) bar.removeAttribute("value");
  else bar.value = share;
}

/**
 * @param {number} id of a generation
 * @param {{keep?: boolean}} [options] whether filter and place in the list of findings stay
 */
async function showResult(id, { keep = false } = {}) {
  const found = await getJson(findingsUrl(id));
  const { generation, problems, summary } = found;
  findings = found.findings;
  await loader.showGeneration(layerChoice.value, generation);
  showFacts(generation);
  showRowProblems(problems);
  byId("findings-box").hidden = findings.length === 0;
  setText(byId("h-findings"), _("发现的问题（{n}）", { n: count(findings.length) }));
  setText(byId("totals"), totals(summary));
  byId("as-gpkg", HTMLAnchorElement).href = findingsUrl(id) + ".gpkg";
  byId("as-geojson", HTMLAnchorElement).href = findingsUrl(id) + ".geojson";
  result.hidden = false;
  if (keep) findingList.update(findings);
  else findingList.show(findings);
  if (!keep) result.focus();
  const layer = chosenLayer();
  await mending.show(generation, { isBoundary: layer.kind === "boundary", hasFindings: findings.length > 0, isGrid: layer.name === "grid" });
}

/** @param {number} id of a generation */
function findingsUrl(id) {
  return "/api/generations/" + id + "/findings";
}

/** @param {Generation} generation */
function showFacts(generation) {
  shown = generation;
  const { errors, warnings, open_warnings, proof, certificate } = generation;
  const accepted = warnings - open_warnings;
  const facts = [
    [_("可用的行"), count(generation.feature_count)],
    [_("不能用的行"), count(generation.rejected)],
    [_("错误"), count(errors)],
    [_("警告"), accepted ? _("{n}（已接受 {accepted}）", { n: count(warnings), accepted: count(accepted) }) : count(warnings)],
  ];
  byId("facts").replaceChildren(...facts.flatMap(([name, value]) => [el("dt", {}, name ?? ""), el("dd", {}, value)]));
  byId("proof").hidden = !proof;
  byId("proof").classList.toggle("is-exact", Boolean(certificate?.exact));
  byId("proof").replaceChildren(certificate?.exact ? icon("check-badge") : icon("information-circle"), el("span", {}, proof));
  byId("notes-box").hidden = generation.notes.length === 0;
  setText(byId("h-notes"), _("说明（{n}）", { n: count(generation.notes.length) }));
  byId("notes").replaceChildren(...generation.notes.map((note) => el("li", {}, note)));
  byId("decide").replaceChildren(...decisions(generation));
  byId("moved-box").replaceChildren(movedIncidents(generation, map));
}

/** @param {Finding} finding */
function mendingOf(finding) {
  return shown?.state === "staged" ? mending.formFor(finding) : null;
}

/**
 * @param {Finding} finding
 * @param {Finding[]} all
 */
function acceptanceOf(finding, all) {
  return shown?.state === "staged" && isAcceptable(finding) ? acceptance(findingsUrl(shown.id), finding, all) : null;
}

/**
 * Mending, and undoing it, makes another generation, which takes the place of this one.
 * @param {Generation} generation
 * @param {import("../core/types.js").Move[]} moves
 * @param {boolean} wasUndone
 */
async function showMended(generation, moves, wasUndone) {
  const n = count(moves.length);
  const words = wasUndone
    ? _("已撤销 {n} 处修补，成为第 {id} 代。", { n, id: generation.id })
    : _("已修补 {n} 处，成为第 {id} 代；可在“已作的修补”中撤销。", { n, id: generation.id });
  toast(words);
  await Promise.all([showGenerations(), showResult(generation.id, { keep: true })]);
}

/**
 * @param {string} url of the findings
 * @param {Finding} finding
 * @param {Finding[]} all
 */
function acceptance(url, finding, all) {
  return acceptForm(finding, all, (reason, everyOfKind) =>
    attempt(async () => {
      if (everyOfKind) await sendJson(url + "/accept", "POST", { kind: finding.kind, reason });
      else await sendJson(url + "/" + finding.id + "/accept", "POST", { reason });
      const found = await getJson(url);
      findings = found.findings;
      showFacts(found.generation);
      findingList.update(findings);
      toast(_("已接受，理由已记录。"));
      await showGenerations();
    }),
  );
}

/** @param {import("../core/types.js").RowProblem[]} problems */
function showRowProblems(problems) {
  byId("rows-box").hidden = problems.length === 0;
  setText(byId("h-rows"), _("逐行说明（{n}）", { n: count(problems.length) }));
  const head = [_("行"), _("字段"), _("说明"), _("处理")].map((words) => el("th", { scope: "col" }, words));
  byId("row-problems").replaceChildren(
    el("thead", {}, el("tr", {}, ...head)),
    el(
      "tbody",
      {},
      ...problems.map(({ row, field, message, rejected }) =>
        el(
          "tr",
          {},
          // people count rows from 1, files from 0
          el("td", {}, row + 1),
          el("td", {}, chosenLayer().fields.find(({ name }) => name === field)?.title ?? field),
          el("td", {}, message),
          el("td", {}, rejected ? _("未导入") : _("已修正")),
        ),
      ),
    ),
  );
}

/** @param {Generation} generation */
function decisions({ id, state }) {
  if (state !== "staged") return [];
  const discard = el("button", { type: "button", click: () => decide(id, "discard") }, _("放弃这一期"));
  if (!("mayPublish" in result.dataset)) return [el("span", {}, _("由有审批权的人员发布。")), discard];
  return [el("button", { type: "button", class: "primary", click: () => decide(id, "publish") }, _("发布")), discard];
}

/**
 * @param {number} id
 * @param {"publish" | "discard"} act
 */
async function decide(id, act) {
  await attempt(async () => {
    await sendJson("/api/generations/" + id + "/" + act, "POST", {});
    result.hidden = true;
    map.findings.show([]);
    toast(act === "publish" ? _("已发布，地图与大屏随即更新。") : _("已放弃。"));
    await Promise.all([showGenerations(), loader.reload(layerChoice.value)]);
  });
}

function generationsUrl() {
  return "/api/layers/" + encodeURIComponent(layerChoice.value) + "/generations";
}

async function showGenerations() {
  const { generations } = await getJson(generationsUrl());
  byId("generations").replaceChildren(...generations.map((/** @type {Generation} */ one) => el("li", {}, generationRow(one))));
  byId("no-generations").hidden = generations.length > 0;
}

/** @param {Generation} generation */
function generationRow(generation) {
  const { id, state, feature_count, created_at, created_by, errors, warnings, valid_to, proof } = generation;
  /** @type {Record<string, string>} */
  const words = {
    staged: _("待发布"),
    published: valid_to ? _("已被替换") : _("使用中"),
    discarded: _("已放弃"),
  };
  return el(
    "button",
    { type: "button", class: "row", click: () => attempt(() => showResult(id)) },
    el("span", { class: "number" }, id),
    el("span", { class: "row-title" }, words[state] ?? state),
    el("span", { class: "row-end" }, dayAndTime(new Date(created_at), new Date())),
    el(
      "span",
      { class: "row-note" },
      [
        _("{n} 行", { n: count(feature_count) }),
        _("错误 {n}", { n: count(errors ?? 0) }),
        _("警告 {n}", { n: count(warnings ?? 0) }),
        created_by,
      ].join(" · "),
    ),
    proof && state !== "discarded" && el("span", { class: "row-note" }, proof),
  );
}

/** @param {() => Promise<void>} act */
async function attempt(act) {
  notice(problem, "");
  try {
    await act();
  } catch (error) {
    notice(problem, sentenceOf(error));
    problem.scrollIntoView({ block: "nearest" });
    if (error instanceof Problem && Array.isArray(error.body.findings)) findingList.showOpen();
    if (error instanceof Problem && Array.isArray(error.body.problems)) {
      result.hidden = error.body.problems.length === 0;
      showRowProblems(error.body.problems);
    }
  }
}

async function changeLayer() {
  result.hidden = true;
  map.findings.show([]);
  showChoices();
  await attempt(showGenerations);
}

fill(crs, coordinateSystems());
fill(datum, datums());
form.addEventListener("submit", send);
files.addEventListener("change", showFiles);
crs.addEventListener("change", showChoices);
layerChoice.addEventListener("change", changeLayer);
for (const [kind, isOver] of /** @type {const} */ ([["dragenter", true], ["dragleave", false], ["drop", false]])) {
  byId("drop").addEventListener(kind, () => byId("drop").classList.toggle("is-over", isOver));
}
map.onDrawn(() => {
  byId("legend").replaceChildren(legend(map.drawn(), { incidents: [] }));
  byId("legend").hidden = false;
});
map.onPick(({ lon, lat, found }) => {
  if (found) void attempt(async () => map.openPopup(lon, lat, popup(found.layer, (await loader.whole(found)).properties)));
});

await attempt(async () => {
  const catalogue = await getJson("/api/catalogue");
  ({ layers } = catalogue);
  map.setBase(catalogue.base_map);
  if (catalogue.bounds) map.fit(catalogue.bounds);
  fill(
    layerChoice,
    layers.map(({ name, title }) => ({ value: name, words: title })),
  );
  const wanted = new URLSearchParams(location.search).get("layer");
  layerChoice.value = layers.some(({ name }) => name === wanted) ? String(wanted) : "grid";
  loader = new LayerLoader(
    map,
    layers.filter(({ kind }) => kind !== "record"),
  );
  await changeLayer();
  await loader.load();
  const bounds = catalogue.bounds ? null : map.boundsOf("area");
  if (bounds) map.fit(bounds);
});
