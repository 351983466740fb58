// An integrator who steers, in Chromium: by joystick, by a click into the picture,
// home, and to a preset that is trimmed by dragging a zone.
//
//   node steer.mjs URL USER PASSWORD OUT CAMERA
//
// Writes OUT/steered-<n>.png, what the page's own video shows while the camera
// turns, and one line of JSON: where the camera looked after each step, and the
// presets that were saved.
import { join } from 'node:path';
import { faults, logIn, open, shoot } from './chromium.mjs';

const [url, user, password, out, camera] = process.argv.slice(2);
const SHOTS = 8;
const DRAG_PX = 25;

const { browser, newPage } = await open();
try {
  const page = await newPage();
  const ask = (path) => page.evaluate(async (at) => (await fetch(at)).json(), `/api/v1/cameras/${camera}/${path}`);
  const view = () => ask('view');
  /** Where it looks once it stands still. */
  const standing = async () => {
    for (let before = await view(); ; ) {
      await page.waitForTimeout(500);
      const now = await view();
      const apart = Math.abs(now.pan_deg - before.pan_deg) + Math.abs(now.tilt_deg - before.tilt_deg);
      if (apart < 0.02 && now.zoom === before.zoom) return now;
      before = now;
    }
  };
  const places = {};

  await logIn(page, url, user, password);
  await page.locator('video').first().waitFor({ state: 'attached' });
  await page.goto(`${url}/#/masks/${camera}`);
  const video = page.locator('.masks-stage video');
  await video.waitFor();
  await page.waitForFunction((element) => element.currentTime > 1, await video.elementHandle());
  places.start = await standing();

  const pad = await page.getByLabel('Joystick').boundingBox();
  const [x, y] = [pad.x + pad.width / 2, pad.y + pad.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + pad.width * 0.3, y, { steps: 4 });
  for (let shot = 0; shot < SHOTS; shot += 1) await shoot(video, join(out, `steered-${shot}.png`));
  await page.mouse.up();
  places.turned = await standing();

  await page.getByRole('button', { name: 'Go to a point' }).click();
  const sheet = await page.locator('.masks-stage svg').boundingBox();
  await page.mouse.click(sheet.x + sheet.width * 0.25, sheet.y + sheet.height * 0.5);
  await page.waitForFunction(
    async ([id, from]) => Math.abs((await (await fetch(`/api/v1/cameras/${id}/view`)).json()).pan_deg - from) > 3,
    [camera, places.turned.pan_deg],
    { polling: 200 },
  );
  places.clicked = await standing();
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Presets', exact: true }).click();
  await page.getByLabel('Name of a new preset').fill('Doors');
  await page.getByRole('button', { name: 'Use this place' }).click();
  await page.getByRole('button', { name: /^Doors/ }).click();
  await page.getByRole('button', { name: 'Trim in the picture' }).click();
  // In the middle of the picture, not at its rim.
  const names = await page.locator('.masks-stage svg text').all();
  const boxes = (await Promise.all(names.map((name) => name.boundingBox()))).filter(Boolean);
  const far = (box) => Math.hypot(box.x + box.width / 2 - sheet.x - sheet.width / 2, box.y - sheet.y - sheet.height / 2);
  const zone = boxes.sort((a, b) => far(a) - far(b))[0];
  const [u, v] = [zone.x + zone.width / 2, zone.y + zone.height / 2];
  await page.mouse.move(u, v);
  await page.mouse.down();
  await page.mouse.move(u + DRAG_PX, v, { steps: 5 });
  await page.mouse.up();
  await page.screenshot({ path: join(out, 'trimmed.png') });
  const wrong = await faults(page);
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Save…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByLabel(/Why do these masks cover less/).fill('The head does not come back exactly.');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'Home', exact: true }).click();
  await page.waitForFunction(
    async ([id, from]) => Math.abs((await (await fetch(`/api/v1/cameras/${id}/view`)).json()).pan_deg - from) > 1,
    [camera, places.clicked.pan_deg],
    { polling: 200 },
  );
  places.home = await standing();
  await page.getByRole('button', { name: 'Go to Doors' }).click();
  await page.waitForFunction(
    async ([id, from]) => Math.abs((await (await fetch(`/api/v1/cameras/${id}/view`)).json()).pan_deg - from) > 1,
    [camera, places.home.pan_deg],
    { polling: 200 },
  );
  places.preset = await standing();
  const { document } = await ask('masks');
  console.log(JSON.stringify({ places, presets: document.presets, wrong }));
} finally {
  await browser.close();
}
