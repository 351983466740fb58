// An integrator at the mask editor, in Chromium: draws a zone around a place,
// saves it, and watches the camera turn.
//
//   node draw.mjs URL USER PASSWORD OUT CAMERA CORNERS
//
// CORNERS is JSON: the place's corners, {pan_deg, tilt_deg} each. Writes
// "saved {seconds}" when the zone is saved, waits until the camera has turned by
// three degrees, and writes OUT/turned-<n>.png from the page's own video.
import { join } from 'node:path';
import { logIn, open, shoot } from './chromium.mjs';

const [url, user, password, out, camera, corners] = process.argv.slice(2);
const SHOTS = 8;
const AROUND_PX = 10;

/** Where a direction is in the picture of a plumb camera with a straight lens. */
function place({ pan_deg, tilt_deg }, view) {
  const rad = Math.PI / 180;
  const [pan, tilt] = [(pan_deg - view.pan_deg - view.mount.pan_deg) * rad, tilt_deg * rad];
  const [x, y, z] = [Math.cos(tilt) * Math.sin(pan), Math.sin(tilt), Math.cos(tilt) * Math.cos(pan)];
  const up = view.tilt_deg * rad;
  const depth = y * Math.sin(up) + z * Math.cos(up);
  const rise = y * Math.cos(up) - z * Math.sin(up);
  return {
    u: view.size[0] / 2 + (view.focal_px * x) / depth,
    v: view.size[1] / 2 - (view.focal_px * rise) / depth,
  };
}

const { browser, newPage } = await open();
try {
  const page = await newPage();
  const viewNow = () => page.evaluate(
    async (id) => (await fetch(`/api/v1/cameras/${id}/view`)).json(),
    camera,
  );

  await logIn(page, url, user, password);
  await page.locator(`video[data-camera="${camera}"]`).waitFor();
  const begun = Date.now();
  await page.goto(`${url}/#/masks/${camera}`);
  const video = page.locator(`.masks-stage video[data-camera="${camera}"]`);
  await video.waitFor();
  const playing = await video.elementHandle();
  await page.waitForFunction((element) => element.currentTime > 1, playing);

  const view = await viewNow();
  const at = JSON.parse(corners).map((corner) => place(corner, view));
  const middle = (axis) => at.reduce((sum, point) => sum + point[axis], 0) / at.length;
  const [u0, v0] = [middle('u'), middle('v')];
  await page.getByRole('button', { name: 'New zone' }).click();
  const sheet = await page.locator('.masks-stage svg').boundingBox();
  for (const { u, v } of at) {
    const grown = 1 + AROUND_PX / Math.max(1, Math.hypot(u - u0, v - v0));
    const x = sheet.x + ((u0 + (u - u0) * grown) / view.size[0]) * sheet.width;
    const y = sheet.y + ((v0 + (v - v0) * grown) / view.size[1]) * sheet.height;
    await page.keyboard.down('Alt'); // Without snapping to what is near.
    await page.mouse.click(x, y);
    await page.keyboard.up('Alt');
  }
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Save…' }).click();
  await page.getByRole('dialog').getByLabel('Reason').fill('A house that was forgotten.');
  await page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.screenshot({ path: join(out, 'saved.png') });
  console.log(`saved ${(Date.now() - begun) / 1000}`);

  await page.waitForFunction(
    async ([id, from]) => {
      const now = await (await fetch(`/api/v1/cameras/${id}/view`)).json();
      return Math.abs(now.pan_deg - from) > 3;
    },
    [camera, view.pan_deg],
    { polling: 100 },
  );
  for (let shot = 0; shot < SHOTS; shot += 1) {
    await shoot(video, join(out, `turned-${shot}.png`));
  }
  await page.screenshot({ path: join(out, 'turned.png') });
} finally {
  await browser.close();
}
