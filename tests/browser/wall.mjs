// A person at the wall, in Chromium: logs in, waits for every camera's picture,
// and writes down what the page's own video elements show.
//
//   node wall.mjs URL USER PASSWORD OUT CAMERA…
//
// Writes OUT/<camera>-<n>.png, and one line of JSON: frames seen by camera, what
// the browser complained about, which hosts it asked.
import { join } from 'node:path';
import { logIn, open, shoot } from './chromium.mjs';

const [url, user, password, out, ...cameras] = process.argv.slice(2);
const SHOTS = 8;

const { browser, newPage } = await open();
try {
  const page = await newPage();
  const complaints = [];
  const hosts = new Set();
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (line) => {
    // Nobody is logged in at first, and the browser says so.
    const expected = line.text().includes('401');
    if (line.type() === 'error' && !expected) complaints.push(line.text());
  });
  page.on('request', (request) => hosts.add(new URL(request.url()).host));

  await logIn(page, url, user, password);

  const seen = {};
  for (const camera of cameras) {
    const video = page.locator(`video[data-camera="${camera}"]`);
    await video.waitFor({ state: 'attached' });
    await page.waitForFunction(
      (id) => document.querySelector(`video[data-camera="${id}"]`)?.currentTime > 1,
      camera,
    );
    for (let shot = 0; shot < SHOTS; shot += 1) {
      await shoot(video, join(out, `${camera}-${shot}.png`));
    }
    seen[camera] = await video.evaluate(
      (element) => element.getVideoPlaybackQuality().totalVideoFrames,
    );
  }
  await page.screenshot({ path: join(out, 'wall.png') });
  console.log(JSON.stringify({ seen, complaints, hosts: [...hosts] }));
} finally {
  await browser.close();
}
