/** An import on its way: the upload, then the server's own steps, until it is staged or has failed. */

import { count } from "../core/formats.js";
import { getJson, Problem, upload } from "../core/http.js";
import { _ } from "../core/i18n.js";

/** @typedef {import("../core/types.js").ImportJob} ImportJob */

const ASK_MS = 400;
const PATIENCE = 20;

/** @param {ImportJob} job */
function stepWords({ state, done, total }) {
  /** @type {Record<string, string>} */
  const words = {
    queued: _("等待处理"),
    reading: _("正在读取"),
    checking: _("正在检查"),
    staging: _("正在入库"),
  };
  const figures = total > 0 ? " " + count(done) + " / " + count(total) : "";
  return (words[state] ?? _("处理中")) + figures;
}

/**
 * Send the files and follow the job to its end.
 * @param {string} layer
 * @param {FormData} form
 * @param {(words: string, share: number | null) => void} progress null while the share is unknown
 * @returns {Promise<ImportJob>} staged or published
 * @throws {Problem} with the reason when it failed
 */
export async function runImport(layer, form, progress) {
  const url = "/api/layers/" + encodeURIComponent(layer) + "/imports";
  progress(_("正在上传"), 0);
  const { job } = await upload(url, form, (share) => progress(_("正在上传"), share));
  return follow(job, progress);
}

/**
 * Follow a job of the server to its end.
 * @param {string} url
 * @param {(words: string, share: number | null) => void} progress
 * @returns {Promise<ImportJob>}
 */
export async function follow(url, progress) {
  let silent = 0;
  for (;;) {
    /** @type {ImportJob | null} */
    const job = await getJson(url).catch((error) => {
      // the server goes on by itself, so a lost answer is asked for again
      if (error instanceof Problem && error.status === 0 && ++silent < PATIENCE) return null;
      throw error;
    });
    if (job) {
      silent = 0;
      if (job.state === "staged" || job.state === "published") return job;
      if (job.state === "failed") throw new Problem(422, job.message ?? _("导入没有完成。"), job);
      if (job.state === "interrupted") throw new Problem(503, _("服务器重新启动，导入已中断，没有留下任何数据，请重新上传。"), job);
      progress(stepWords(job), job.total > 0 ? job.done / job.total : null);
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
}
