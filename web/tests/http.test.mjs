import assert from "node:assert/strict";
import { test } from "node:test";

import { nameIn } from "../core/http.js";

test("a file is kept under the name that it comes with, in whatever script", () => {
  assert.equal(nameIn('attachment; filename="a-1.pdf"'), "a-1.pdf");
  assert.equal(nameIn("attachment; filename*=UTF-8''%E7%94%B2.pdf"), "甲.pdf");
  assert.equal(nameIn("inline"), "");
});
