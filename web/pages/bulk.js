/** Reports by the file: choose it, follow it, read what was taken, fetch what is to be corrected. */

import { count } from "../core/formats.js";
import { upload } from "../core/http.js";
import { _, currentLanguage } from "../core/i18n.js";
import { sources } from "../core/incident.js";
import { byId, el, icon, markElement, notice, setText } from "../ui/dom.js";
import { follow } from "../ui/import_job.js";
import { sentenceOf, start } from "../ui/start.js";

/**
 * @typedef {object} Outcome
 * @property {number} added
 * @property {number} known
 * @property {number} rejected
 * @property {{row: number, title: string, message: string, expected: string | null}[]} faults
 * @property {string | null} rejected_file
 */

const COLUMNS = {
  zh: ["编号", "经度", "纬度", "坐标基准", "事件描述", "来源", "事项", "是否紧急", "发现时间", "定位精度"],
  en: ["number", "lon", "lat", "datum", "description", "source", "item", "is_urgent", "discovered_at", "accuracy_m"],
};

await start();
const form = byId("bulk", HTMLFormElement);
const input = byId("file", HTMLInputElement);
const submit = byId("submit", HTMLButtonElement);
const problem = byId("problem");
const outcome = byId("outcome");
/** @type {File | null} */
let file = null;

/** @param {File | undefined} chosen */
function choose(chosen) {
  file = chosen ?? null;
  setText(byId("file-words"), file ? file.name : _("选择或拖入 CSV、XLSX 文件"));
  notice(problem, "");
}

/**
 * @param {string} words
 * @param {number | null} share
 */
function progress(words, share) {
  byId("progress").hidden = false;
  setText(byId("progress-words"), words);
  const bar = byId("progress-bar", HTMLProgressElement);
  if (share === null) bar.removeAttribute("value");
  else bar.value = share;
}

/** @param {SubmitEvent} event */
async function send(event) {
  event.preventDefault();
  if (!file) {
    notice(problem, _("请先选择文件。"));
    input.focus();
    return;
  }
  const body = new FormData();
  body.append("file", file, file.name);
  for (const name of ["datum", "source"]) {
    const { value } = byId(name, HTMLSelectElement);
    if (value) body.append(name, value);
  }
  submit.disabled = true;
  outcome.hidden = true;
  notice(problem, "");
  try {
    progress(_("正在上传"), 0);
    const { job } = await upload("/api/incidents/bulk", body, (share) => progress(_("正在上传"), share));
    const done = /** @type {any} */ (await follow(job, progress));
    show(done.message, done.outcome);
  } catch (error) {
    notice(problem, sentenceOf(error));
  } finally {
    submit.disabled = false;
    byId("progress").hidden = true;
  }
}

/**
 * @param {string} sentence
 * @param {Outcome} found
 */
function show(sentence, found) {
  const figures = [
    [markElement("done"), _("新登记"), found.added],
    [markElement("open"), _("此前已登记"), found.known],
    [markElement(found.rejected ? "urgent" : "done"), _("需要改正"), found.rejected],
  ];
  outcome.replaceChildren(
    el("h2", { id: "outcome-title" }, sentence),
    el(
      "dl",
      { class: "figures" },
      ...figures.map(([mark, words, n]) => el("div", {}, el("dt", {}, words), el("dd", {}, mark, count(Number(n))))),
    ),
    ...(found.rejected_file ? toCorrect(found, found.rejected_file) : []),
  );
  outcome.hidden = false;
  outcome.focus();
}

/**
 * @param {Outcome} found
 * @param {string} address
 */
function toCorrect({ faults }, address) {
  return [
    el(
      "p",
      {},
      el("a", { class: "button", href: address, download: "" }, icon("arrow-down-tray"), el("span", {}, _("下载需要改正的行"))),
    ),
    el(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": _("需要改正") },
      el(
        "table",
        { class: "faults" },
        el("thead", {}, el("tr", {}, ...[_("行"), _("项"), _("原因"), _("应为")].map((words) => el("th", { scope: "col" }, words)))),
        el(
          "tbody",
          {},
          ...faults.map(({ row, title, message, expected }) =>
            el("tr", {}, el("td", {}, row), el("td", {}, title), el("td", {}, message), el("td", {}, expected ?? "")),
          ),
        ),
      ),
    ),
  ];
}

byId("source").append(...sources().map(({ key, words }) => el("option", { value: key }, words)));
const blank = byId("blank", HTMLAnchorElement);
// with a byte-order mark, without which spreadsheets show Chinese as mojibake
blank.href = URL.createObjectURL(new Blob(["\ufeff", COLUMNS[currentLanguage() === "en" ? "en" : "zh"].join(","), "\r\n"], { type: "text/csv" }));
blank.download = "incidents.csv";
input.addEventListener("change", () => choose(input.files?.[0]));
const drop = byId("drop");
for (const name of ["dragover", "dragleave", "drop"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("is-over", name === "dragover");
    if (name === "drop") choose(/** @type {DragEvent} */ (event).dataTransfer?.files[0]);
  });
}
form.addEventListener("submit", (event) => void send(event));
