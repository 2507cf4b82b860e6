/** Links that open a wall without an account (make one, copy it once, revoke it), and walls on paper. */

import { dayAndTime } from "../core/formats.js";
import { getJson, getSession, sendJson } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { byId, el, notice } from "../ui/dom.js";
import { sheetForm } from "../ui/sheet_form.js";
import { sentenceOf, start } from "../ui/start.js";
import { toast } from "../ui/toast.js";

/** @typedef {import("../core/types.js").WallLink} WallLink */

const CITY = "city";
const DAY_MS = 86_400_000;

await start();
const label = byId("label", HTMLInputElement);
const expires = byId("expires", HTMLSelectElement);
const url = byId("url", HTMLInputElement);
const problem = byId("problem");
// the wall of the area that the reader answers for
const { wall_id: own } = await getSession();

async function list() {
  const { links } = await getJson("/api/wall-links");
  byId("links").replaceChildren(...links.map(row));
  byId("empty").hidden = links.length > 0;
}

/** @param {WallLink} link */
function row(link) {
  const isOver = link.revoked_at !== null || (link.expires_at !== null && Date.parse(link.expires_at) <= Date.now());
  const state = link.revoked_at ? _("已撤销") : isOver ? _("已过期") : _("可用");
  return el(
    "tr",
    { class: isOver ? "is-over" : null },
    el("td", {}, link.label),
    el("td", {}, link.wall_id === CITY ? _("全市") : link.wall_id),
    el("td", {}, when(link.created_at)),
    el("td", {}, link.expires_at ? when(link.expires_at) : _("直到撤销")),
    el("td", {}, state),
    el(
      "td",
      {},
      !isOver &&
        el(
          "button",
          { type: "button", "aria-label": _("撤销链接：{label}", { label: link.label }), click: () => revoke(link) },
          _("撤销"),
        ),
    ),
  );
}

/** @param {string} moment */
function when(moment) {
  return dayAndTime(new Date(moment), new Date());
}

/** @param {SubmitEvent} event */
async function make(event) {
  event.preventDefault();
  await attempt(async () => {
    const until = expires.value ? new Date(Date.now() + Number(expires.value) * DAY_MS).toISOString() : null;
    const body = { wall_id: own, label: label.value.trim(), ...(until ? { expires_at: until } : {}) };
    const made = await sendJson("/api/wall-links", "POST", body);
    url.value = new URL(made.url, location.href).href;
    byId("made").hidden = false;
    byId("made").focus();
    label.value = "";
    await list();
  });
}

async function copy() {
  url.select();
  // the clipboard interface is missing on plain http; the selected text can still be copied by hand
  try {
    await navigator.clipboard.writeText(url.value);
    toast(_("已复制。"));
  } catch {
    toast(_("已选中，请按 Ctrl+C 复制。"));
  }
}

/** @param {WallLink} link */
async function revoke({ id, label: name }) {
  if (!confirm(_("撤销“{label}”后，用它打开的大屏会立即停止。确定撤销吗？", { label: name }))) return;
  await attempt(async () => {
    await sendJson("/api/wall-links/" + id, "DELETE");
    await list();
  });
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

byId("make").addEventListener("submit", make);
byId("copy").addEventListener("click", copy);
await Promise.all([attempt(list), sheetForm()]);
