// Uses Swagger UI as a person would: drive.mjs ADDRESS PROFILE-FOLDER SCREENSHOT-FOLDER. Fails with what went wrong.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [address, profile, screenshots] = process.argv.slice(2);
const allocation = "0b7f6d0e-6a31-4c53-9a7d-0c8f2f1f6a11";

const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  viewport: { width: 1280, height: 1400 },
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
browser.setDefaultTimeout(60_000);
const page = browser.pages()[0] ?? (await browser.newPage());

const refusals = [];
page.on("request", (request) => {
  const url = request.url();
  assert.ok(url.startsWith(address) || url.startsWith("data:") || url.startsWith("blob:"), `a request left the machine: ${url}`);
});
page.on("requestfailed", (request) => assert.fail(`${request.url()}: ${request.failure()?.errorText}`));
page.on("pageerror", (error) => assert.fail(`the page threw: ${error}`));
page.on("console", (message) => {
  if (message.type() !== "error") return;
  // Chromium notes each answer of 400 and above.
  assert.match(message.text(), /^Failed to load resource: the server responded with a status of 4\d\d/);
  refusals.push(message.text());
});

await page.goto(`${address}/docs/`);
await page.locator(".opblock").first().waitFor();
assert.equal(await page.locator(".errors-wrapper").count(), 0, "Swagger UI finds fault with the document");

const operation = (id) => page.locator(`.opblock[id$="-${id}"]`);

// Opens an operation and makes its fields editable, with the keyboard alone if so asked.
async function tryOut(id, keyboard = false) {
  const block = operation(id);
  const header = block.locator(".opblock-summary-control");
  const press = async (button) => {
    await button.focus();
    await page.keyboard.press("Enter");
  };
  await (keyboard ? press(header) : header.click());
  const button = block.locator(".try-out__btn");
  if ((await block.locator(".execute").count()) === 0) await (keyboard ? press(button) : button.click());
  await block.locator(".execute").waitFor();
  return block;
}

// Sends the request, and says what came back.
async function execute(id, block, keyboard = false) {
  const answer = page.waitForResponse((response) => response.url().startsWith(`${address}/v1/`));
  const button = block.locator(".execute");
  if (keyboard) {
    await button.focus();
    await page.keyboard.press("Enter");
  } else {
    await button.click();
  }
  const response = await answer;
  const shown = block.locator(".live-responses-table tr.response td.response-col_status").first();
  await shown.waitFor();
  await assert.doesNotReject(shown.filter({ hasText: String(response.status()) }).waitFor(), `${id}: the status is not shown`);
  await block.screenshot({ path: `${screenshots}/${id}.png` });
  return { status: response.status(), text: await response.text(), shown: await block.locator(".live-responses-table").first().innerText() };
}

const field = (block, name) => block.locator(`tr[data-param-name="${name}"] input`);

// A token, as access control will want it; while it is off the server does not look at it.
await page.locator(".auth-wrapper .authorize").first().click();
await page.locator(".modal-ux input").first().fill("a-token");
await page.locator(".modal-ux .auth-btn-wrapper .authorize").first().click();
await page.locator(".modal-ux .btn-done").first().click();

let block = await tryOut("create_volume");
let answer = await execute("create_volume", block);
assert.equal(answer.status, 200, answer.text);
assert.equal(JSON.parse(answer.text).Volumes[0].ID, "pgdata");

const second = { Volumes: [{ ID: "second", Name: "second", PluginID: "nope", RequestedCapabilities: [{ AccessMode: "single-node-writer", AttachmentMode: "file-system" }] }] };
await block.locator("textarea").first().fill(JSON.stringify(second));
answer = await execute("create_volume", block);
assert.equal(answer.status, 404);
assert.equal(JSON.parse(answer.text).code, "plugin_not_found");
assert.match(answer.shown, /no CSI plugin named: nope could be found/);

// The rest on a narrow screen.
await page.setViewportSize({ width: 390, height: 844 });
const wide = await page.evaluate(() => document.documentElement.scrollWidth);
assert.ok(wide <= 390, `the page is ${wide} pixels wide on a screen of 390`);

block = await tryOut("claim_volume", true);
await field(block, "volume_id").fill("pgdata");
await block.locator("textarea").first().fill(JSON.stringify({ AllocationID: allocation }));
answer = await execute("claim_volume", block, true);
assert.equal(answer.status, 200, answer.text);
assert.equal(JSON.parse(answer.text).State, "published");

block = await tryOut("release_claim", true);
await field(block, "volume_id").fill("pgdata");
await field(block, "alloc_id").fill(allocation);
answer = await execute("release_claim", block, true);
assert.equal(answer.status, 200, answer.text);
assert.equal(JSON.parse(answer.text).State, "gone");

assert.equal(refusals.length, 1, `console: ${refusals.join("\n")}`);
await page.screenshot({ path: `${screenshots}/narrow.png` });
await browser.close();
console.log("Swagger UI: a volume created, an error seen, the volume claimed and released");
