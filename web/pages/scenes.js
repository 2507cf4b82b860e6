/** The scenes of a wall: put in order, changed, saved, and sent to the wall for a while. */

import { count } from "../core/formats.js";
import { getJson, sendJson } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { MOST_SCENES, added, changed, copied, moved, named, removed, roundSeconds } from "../core/tour_draft.js";
import { byId, el, icon, notice, setText } from "../ui/dom.js";
import { button, sceneForm } from "../ui/scene_form.js";
import { sentenceOf, start } from "../ui/start.js";
import { toast } from "../ui/toast.js";

/** @typedef {import("../core/tour_draft.js").Draft} Draft */

await start();
const wall = byId("page").dataset.wall ?? "";
const url = "/api/wall/" + encodeURIComponent(wall);
const isEnglish = document.documentElement.lang.startsWith("en");
const takeover = byId("takeover", HTMLInputElement);
const sound = byId("sound", HTMLInputElement);
const problem = byId("problem");

/** @type {{tour: Draft, choices: import("../ui/scene_form.js").Choices, towns: {code: string, name: string}[]}} */
const given = await getJson(url + "/tour");
/** @type {Draft} */
let draft = given.tour;
let edited = 0;
let isChanged = false;

/** @param {import("../core/types.js").Scene} scene */
function title(scene) {
  return (isEnglish ? scene.title.en : scene.title.zh) || scene.key;
}

/**
 * @param {Draft} next
 * @param {{form?: boolean}} [options] whether the form is to be made anew
 */
function change(next, { form = true } = {}) {
  draft = next;
  isChanged = true;
  setText(byId("saved"), _("尚未保存"));
  show(form);
}

/**
 * Show the draft; whoever works by keyboard stays where he was, also on what has been moved or made anew.
 * @param {boolean} form
 */
function show(form) {
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.focus : undefined;
  edited = Math.min(edited, draft.scenes.length - 1);
  byId("scenes").replaceChildren(...draft.scenes.map(row));
  setText(byId("round"), _("一轮 {n} 秒", { n: count(roundSeconds(draft, given.towns.length) || 0) }));
  byId("add", HTMLButtonElement).disabled = draft.scenes.length >= MOST_SCENES;
  if (form) showForm();
  const sender = document.querySelector("#send");
  if (sender instanceof HTMLButtonElement) sender.disabled = isChanged;
  byId("send-first").hidden = !isChanged;
  if (focused) refocus(focused);
}

/** @param {string} key */
function refocus(key) {
  const find = (/** @type {string} */ wanted) => /** @type {HTMLElement | null} */ (document.querySelector(`[data-focus="${CSS.escape(wanted)}"]:not(:disabled)`));
  // at the end of its list a row can only go the other way
  const [other = "", way] = key.split(/:(?=up$|down$)/);
  const turned = way ? find(`${other}:${way === "up" ? "down" : "up"}`) : null;
  (find(key) ?? turned ?? find("scene"))?.focus();
}

/**
 * @param {import("../core/types.js").Scene} scene
 * @param {number} index
 */
function row(scene, index) {
  const name = title(scene);
  const choose = () => {
    edited = index;
    show(true);
  };
  return el(
    "li",
    {},
    el(
      "button",
      {
        type: "button",
        class: "quiet scenes-name",
        "aria-current": String(index === edited),
        "data-focus": index === edited ? "scene" : `scene ${scene.key}`,
        click: choose,
      },
      name,
      el("small", {}, _("{n} 秒", { n: Number.isFinite(scene.seconds) ? scene.seconds : "–" })),
    ),
    button(icon("chevron-up"), _("上移：{name}", { name }), () => reorder(index, -1), index === 0, `scene ${scene.key}:up`),
    button(icon("chevron-down"), _("下移：{name}", { name }), () => reorder(index, 1), index === draft.scenes.length - 1, `scene ${scene.key}:down`),
    button(icon("document-duplicate"), _("复制：{name}", { name }), () => copy(index), draft.scenes.length >= MOST_SCENES, `scene ${scene.key}:copy`),
    button(icon("trash"), _("删除：{name}", { name }), () => remove(index), draft.scenes.length === 1, "scene"),
  );
}

/**
 * @param {number} index
 * @param {-1 | 1} step
 */
function reorder(index, step) {
  if (edited === index) edited = index + step;
  else if (edited === index + step) edited = index;
  change({ ...draft, scenes: moved(draft.scenes, index, step) });
}

/** @param {number} index */
function remove(index) {
  if (index < edited) edited -= 1;
  change(removed(draft, index));
}

/** @param {number} index */
function copy(index) {
  edited = index + 1;
  change(copied(draft, index));
  refocus("zh");
}

function showForm() {
  const scene = draft.scenes[edited];
  if (!scene) return;
  const index = edited;
  const form = sceneForm(scene, given.choices, {
    change: (some, isTyping) => change(changed(draft, index, some), { form: !isTyping }),
    name: (words) => change(named(draft, index, words), { form: false }),
  });
  byId("editor").replaceChildren(el("h2", { id: "t-scene" }, title(scene)), ...form, sender(scene));
}

/** @param {import("../core/types.js").Scene} scene */
function sender(scene) {
  const town = el("select", { "aria-label": _("镇街") }, ...given.towns.map(({ code, name }) => el("option", { value: code }, name)));
  const send = async () => {
    await attempt(async () => {
      const body = { scene: scene.key, seconds: 60, town: scene.extent === "each_town" ? town.value || null : null };
      await sendJson(url + "/scene", "POST", body);
      toast(_("已发送到大屏，显示 1 分钟。"));
    });
  };
  return el(
    "div",
    { class: "scenes-send" },
    scene.extent === "each_town" && given.towns.length > 0 && town,
    el("button", { type: "button", id: "send", click: send }, icon("tv"), _("在大屏上显示 1 分钟")),
    // the wall knows what is saved and nothing else
    el("span", { class: "hint", id: "send-first" }, _("先保存，再在大屏上显示。")),
  );
}

async function save() {
  await attempt(async () => {
    take(await sendJson(url + "/tour", "PUT", draft));
    setText(byId("saved"), _("已保存，大屏已按新的场景轮播。"));
  });
}

async function restore() {
  if (!confirm(_("恢复默认轮播后，现在的场景设置将不再使用。确定恢复吗？"))) return;
  await attempt(async () => {
    take(await sendJson(url + "/tour", "DELETE"));
    setText(byId("saved"), _("已恢复默认轮播。"));
  });
}

/** @param {{tour: Draft}} answer */
function take({ tour }) {
  draft = tour;
  isChanged = false;
  takeover.valueAsNumber = draft.takeover_seconds;
  sound.checked = draft.sound;
  show(true);
}

/** @param {() => Promise<void>} act */
async function attempt(act) {
  notice(problem, "");
  try {
    await act();
  } catch (error) {
    notice(problem, sentenceOf(error));
    problem.scrollIntoView({ block: "nearest" });
  }
}

takeover.addEventListener("input", () => change({ ...draft, takeover_seconds: takeover.valueAsNumber }, { form: false }));
sound.addEventListener("change", () => change({ ...draft, sound: sound.checked }, { form: false }));
byId("add").addEventListener("click", () => {
  edited = draft.scenes.length;
  change(added(draft, { zh: "新场景", en: "New scene" }));
  refocus("zh");
});
byId("save").addEventListener("click", save);
byId("restore").addEventListener("click", restore);
addEventListener("beforeunload", (event) => {
  if (isChanged) event.preventDefault();
});
take(given);
