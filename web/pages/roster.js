/** The roster: every grid with its people, the vacancies first; a new one taken in whole. */

import { clauseWords, severityWords } from "../core/finding.js";
import { count } from "../core/formats.js";
import { getJson, Problem, upload } from "../core/http.js";
import { _, currentLanguage } from "../core/i18n.js";
import { byId, el, notice, setText } from "../ui/dom.js";
import { sentenceOf, start } from "../ui/start.js";
import { workerRanking } from "../ui/worker_ranking.js";

/** @typedef {import("../core/roster_types.js").RosterView} RosterView */
/** @typedef {import("../core/roster_types.js").RosterGrid} RosterGrid */
/** @typedef {import("../core/roster_types.js").RosterArea} RosterArea */
/** @typedef {import("../core/roster_types.js").RosterPerson} RosterPerson */
/** @typedef {import("../core/roster_types.js").RosterFinding} RosterFinding */

const PAGE = 50;

await start();
const area = byId("area", HTMLSelectElement);
const severity = byId("severity", HTMLSelectElement);
const at = byId("at", HTMLInputElement);
const failed = byId("failed");
let offset = 0;
/** An answer to an older question is not shown. */
let asked = 0;

async function list() {
  notice(failed, "");
  const mine = ++asked;
  const wanted = new URLSearchParams({ limit: String(PAGE), offset: String(offset) });
  if (area.value) wanted.set("area", area.value);
  if (severity.value) wanted.set("severity", severity.value);
  // of a day the roster at its noon: what changed in the morning counts
  if (at.value) wanted.set("at", new Date(at.value + "T12:00:00").toISOString());
  /** @type {RosterView} */
  const view = await getJson("/api/roster?" + wanted);
  if (mine !== asked) return;
  if (!area.value) fillAreas(view.areas);
  setText(byId("sum"), sumOf(view));
  byId("grids").replaceChildren(...view.grids.map(gridRow));
  byId("areas").replaceChildren(...view.areas.filter(({ people }) => people.length > 0).map(areaRow));
  byId("whole").replaceChildren(...view.findings.map(findingLine));
  byId("empty").hidden = view.grids.length > 0;
  byId("pager").hidden = view.total <= PAGE;
  byId("previous", HTMLButtonElement).disabled = offset === 0;
  byId("next", HTMLButtonElement).disabled = offset + PAGE >= view.total;
  const last = Math.min(offset + PAGE, view.total);
  setText(byId("position"), _("第 {first}–{last} 个，共 {total} 个", { first: offset + 1, last, total: count(view.total) }));
}

/** @param {RosterView} view */
function sumOf({ generation, counts }) {
  if (generation === null) return _("还没有花名册。");
  const { error, warning, option, none } = counts;
  return _("网格 {all} 个：配齐 {none}，不符合规定 {error}，有提醒 {warning}，有提示 {option}。", {
    all: count(error + warning + option + none),
    none: count(none),
    error: count(error),
    warning: count(warning),
    option: count(option),
  });
}

/** @param {RosterArea[]} areas */
function fillAreas(areas) {
  const chosen = area.value;
  const options = areas.map(({ code, name, level }) =>
    el("option", { value: code }, (level === "community" ? "　" : "") + name),
  );
  area.replaceChildren(el("option", { value: "" }, _("全部")), ...options);
  area.value = chosen;
}

/** @param {RosterGrid} grid */
function gridRow(grid) {
  const { name, title, vacant, unit } = grid.answers;
  const who = name === null ? _("无人在岗，由 {unit} 负责", { unit: unit ?? "—" }) : name;
  return el(
    "tr",
    {},
    el(
      "th",
      { scope: "row" },
      el("span", { class: "roster-name" }, grid.grid_name),
      el("span", { class: "roster-code number" }, grid.grid_code),
      el("span", { class: "roster-code" }, grid.areas.slice(1).join(" ")),
    ),
    el(
      "td",
      {},
      el("span", { class: "roster-name" }, who),
      el("span", { class: "roster-code" }, title ?? ""),
      vacant.length > 0 && el("span", { class: "roster-code" }, _("空缺：{posts}", { posts: vacant.join(_("、")) })),
    ),
    el("td", {}, peopleList(grid.people)),
    el(
      "td",
      {},
      grid.findings.length > 0 ? el("ul", { class: "roster-findings" }, ...grid.findings.map(findingLine)) : _("配齐"),
    ),
  );
}

/** @param {RosterArea} one */
function areaRow({ name, code, people }) {
  return el(
    "tr",
    {},
    el(
      "th",
      { scope: "row" },
      el("span", { class: "roster-name" }, name),
      el("span", { class: "roster-code number" }, code),
    ),
    el("td", {}, peopleList(people)),
  );
}

/** @param {RosterPerson[]} people */
function peopleList(people) {
  return el("ul", { class: "roster-people" }, ...people.map(personLine));
}

/** @param {RosterPerson} person */
function personLine(person) {
  const more = [
    person.community_post,
    person.unit,
    person.stands_in_for && _("代 {name} 履职", { name: person.stands_in_for }),
    person.certified === false && _("未持证"),
    person.phone,
  ].filter(Boolean);
  return el(
    "li",
    {},
    el("span", { class: "roster-post" }, person.title),
    " " + (person.name ?? "—"),
    more.length > 0 && el("span", { class: "roster-code" }, more.join(" · ")),
  );
}

/** @param {RosterFinding} finding */
function findingLine(finding) {
  const { severity: force, message } = finding;
  return el(
    "li",
    { class: "roster-" + force },
    el("strong", {}, severityWords(finding)),
    " " + (currentLanguage() === "en" ? message.en : message.zh),
    el("span", { class: "roster-code" }, clauseWords(finding)),
  );
}

/** @param {() => Promise<void>} act */
async function attempt(act) {
  try {
    await act();
  } catch (error) {
    notice(failed, sentenceOf(error));
  }
}

function fromStart() {
  offset = 0;
  void attempt(list);
}

/** @param {number} step */
function turn(step) {
  offset = Math.max(0, offset + step * PAGE);
  void attempt(list);
}

/** @param {SubmitEvent} event */
async function take(event) {
  event.preventDefault();
  const button = byId("send", HTMLButtonElement);
  const rows = byId("rows");
  const problem = byId("problem");
  notice(problem, "");
  byId("done").hidden = true;
  rows.hidden = true;
  button.disabled = true;
  try {
    const form = new FormData(byId("import", HTMLFormElement));
    const taken = await upload("/api/roster/imports", form, () => {});
    const done = _("已导入：{people} 人，{postings} 个岗位。", {
      people: count(taken.people),
      postings: count(taken.postings),
    });
    byId("done").replaceChildren(done);
    byId("done").hidden = false;
    byId("import", HTMLFormElement).reset();
    fromStart();
  } catch (error) {
    notice(problem, sentenceOf(error));
    /** @type {{message: string}[]} */
    const wrong = error instanceof Problem ? (error.body.problems ?? []) : [];
    rows.replaceChildren(...wrong.map(({ message }) => el("li", {}, message)));
    rows.hidden = wrong.length === 0;
  } finally {
    button.disabled = false;
  }
}

area.addEventListener("change", fromStart);
severity.addEventListener("change", fromStart);
at.addEventListener("change", fromStart);
byId("previous").addEventListener("click", () => turn(-1));
byId("next").addEventListener("click", () => turn(1));
document.getElementById("import")?.addEventListener("submit", (event) => void take(/** @type {SubmitEvent} */ (event)));
const ranking = document.getElementById("worker-ranking");
if (ranking instanceof HTMLDetailsElement) workerRanking(ranking);
await attempt(list);
