/** The photos of a report: taken or chosen, shown small, kept on the phone until they are sent. */

import { _ } from "../core/i18n.js";
import { keepPhotos, photosFor } from "../core/outbox_store.js";
import { el, icon } from "./dom.js";

/** @typedef {import("../core/outbox_store.js").KeptPhoto} KeptPhoto */

const TYPES = ["image/jpeg", "image/png", "image/webp"];

export class ReportPhotos {
  /**
   * @param {HTMLElement} list where the photos are shown
   * @param {HTMLInputElement} input
   * @param {string} owner under which the form's photos are kept
   * @param {(sentence: string) => void} trouble
   */
  constructor(list, input, owner, trouble) {
    this.list = list;
    this.input = input;
    this.owner = owner;
    this.trouble = trouble;
    this.most = Number(input.dataset.most);
    this.mostMb = Number(input.dataset.mostMb);
    /** @type {KeptPhoto[]} */
    this.photos = [];
    /** @type {string[]} addresses of the pictures shown, to let go of */
    this.shown = [];
    input.addEventListener("change", () => void this.#add([...(input.files ?? [])]));
  }

  /** Show what the form had when the page was left. */
  async restore() {
    this.photos = await photosFor(this.owner).catch(() => []);
    this.#show();
  }

  /** @param {KeptPhoto[]} photos */
  async set(photos) {
    this.photos = photos;
    this.#show();
    await this.#keep();
  }

  /** @param {File[]} files */
  async #add(files) {
    this.trouble("");
    for (const file of files) {
      if (this.photos.length >= this.most) {
        this.trouble(_("最多 {most} 张照片。", { most: this.most }));
        break;
      }
      if (!TYPES.includes(file.type)) this.trouble(_("“{name}”不是 JPEG、PNG 或 WebP 照片，没有加入。", { name: file.name }));
      else if (file.size > this.mostMb * 2 ** 20) {
        this.trouble(_("“{name}”超过 {most} MB，没有加入；请缩小后再选。", { name: file.name, most: this.mostMb }));
      } else this.photos = [...this.photos, { name: file.name, type: file.type, bytes: await file.arrayBuffer() }];
    }
    this.input.value = ""; // the same photo may be chosen again after it was taken off
    this.#show();
    await this.#keep();
  }

  async #keep() {
    try {
      await keepPhotos(this.owner, this.photos);
    } catch {
      this.trouble(_("手机存储空间不足，离开此页照片会丢失；请先提交，或清理空间。"));
    }
  }

  #show() {
    this.shown.forEach((url) => URL.revokeObjectURL(url));
    this.shown = this.photos.map(({ type, bytes }) => URL.createObjectURL(new Blob([bytes], { type })));
    this.list.replaceChildren(
      ...this.photos.map((photo, place) =>
        el(
          "li",
          { class: "photo" },
          el("img", { src: this.shown[place], alt: _("照片 {n}", { n: place + 1 }) }),
          el(
            "button",
            {
              type: "button",
              class: "photo-off",
              title: _("去掉照片 {n}", { n: place + 1 }),
              "aria-label": _("去掉照片 {n}", { n: place + 1 }),
              click: () => void this.set(this.photos.filter((one) => one !== photo)),
            },
            icon("x-mark"),
          ),
        ),
      ),
    );
    this.input.disabled = this.photos.length >= this.most;
  }
}
