// A person at the wall, in Chromium: logs in, waits for every camera's picture,
// and writes down what the page's own video elements show.
//
//   node wall.mjs URL USER PASSWORD OUT CAMERA…
//
// Writes OUT/<camera>-<n>.png, and one line of JSON: frames seen by camera, what
// the browser complained about, which hosts it asked.
import { createRequire } from 'node:module';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const modules = fileURLToPath(new URL('../../assets/web/', import.meta.url));
const { chromium } = createRequire(modules)('playwright-core');
const [url, user, password, out, ...cameras] = process.argv.slice(2);
const SHOTS = 8;
const TIMEOUT_MS = 60_000;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--autoplay-policy=no-user-gesture-required',
  ],
});
try {
  const page = await browser.newPage({ viewport: { width: 1366, height: 768 }, locale: 'en-GB' });
  page.setDefaultTimeout(TIMEOUT_MS);
  const complaints = [];
  const hosts = new Set();
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (line) => {
    // Nobody is logged in at first, and the browser says so.
    const expected = line.text().includes('401');
    if (line.type() === 'error' && !expected) complaints.push(line.text());
  });
  page.on('request', (request) => hosts.add(new URL(request.url()).host));

  await page.goto(url);
  await page.getByLabel('Name').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');

  const seen = {};
  for (const camera of cameras) {
    const video = page.locator(`video[data-camera="${camera}"]`);
    await video.waitFor({ state: 'attached' });
    await page.waitForFunction(
      (id) => document.querySelector(`video[data-camera="${id}"]`)?.currentTime > 1,
      camera,
    );
    for (let shot = 0; shot < SHOTS; shot += 1) {
      const png = await video.evaluate(async (element) => {
        await new Promise((shown) => element.requestVideoFrameCallback(shown));
        const canvas = document.createElement('canvas');
        canvas.width = element.videoWidth;
        canvas.height = element.videoHeight;
        canvas.getContext('2d').drawImage(element, 0, 0);
        return canvas.toDataURL('image/png').split(',')[1];
      });
      await writeFile(join(out, `${camera}-${shot}.png`), Buffer.from(png, 'base64'));
    }
    seen[camera] = await video.evaluate(
      (element) => element.getVideoPlaybackQuality().totalVideoFrames,
    );
  }
  await page.screenshot({ path: join(out, 'wall.png') });
  const policy = await page.evaluate(() => navigator.language);
  console.log(JSON.stringify({ seen, complaints, hosts: [...hosts], language: policy }));
} finally {
  await browser.close();
}
