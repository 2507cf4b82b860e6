import assert from "node:assert/strict";
import { test } from "node:test";

import { isRefusal, nameIn, problemOf } from "../core/http.js";

test("a file is kept under the name that it comes with, in whatever script", () => {
  assert.equal(nameIn('attachment; filename="a-1.pdf"'), "a-1.pdf");
  assert.equal(nameIn("attachment; filename*=UTF-8''%E7%94%B2.pdf"), "甲.pdf");
  assert.equal(nameIn("inline"), "");
});

test("only the server's own word is a refusal, and no other trouble is", () => {
  const told = { type: "urn:gis-server:problem:sign-in-required", title: "需要登录", detail: "链接已撤销。" };
  for (const status of [401, 403, 404]) {
    assert.ok(isRefusal(problemOf(status, told)), String(status));
    // the page of a proxy that has nobody behind it
    assert.ok(!isRefusal(problemOf(status, null)), String(status));
  }
  for (const status of [0, 429, 500, 502, 503]) assert.ok(!isRefusal(problemOf(status, told)), String(status));
});
