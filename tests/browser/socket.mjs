// A person at the wall where nothing comes through over UDP, in Chromium: waits
// for every camera's picture, and writes down what the page's own video elements
// show and how far it is behind.
//
//   node socket.mjs URL USER PASSWORD OUT CLOSED CAMERA…
//
// CLOSED is how WebRTC is kept out: `missing` (the browser has none), `udp` (what
// it sends arrives nowhere), or `open` (it is not: for comparing). Writes
// OUT/<camera>-<n>.png, and one line of JSON.
import { join } from 'node:path';
import { logIn, open, shoot } from './chromium.mjs';

const [url, user, password, out, closed, ...cameras] = process.argv.slice(2);
const SHOTS = 8;
const LOOKS = 50;
const NOWHERE = 9;

const { browser, newPage } = await open();
try {
  const page = await newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (line) => {
    // Nobody is logged in at first, and the browser says so.
    const expected = line.text().includes('401');
    if (line.type() === 'error' && !expected) complaints.push(line.text());
  });
  if (closed === 'udp') {
    await page.route('**/whep', async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace(/ \d+ typ host/g, ` ${NOWHERE} typ host`);
      await route.fulfill({ response, body });
    });
  }
  if (closed === 'missing') await page.addInitScript(() => delete window.RTCPeerConnection);
  // When the page got which moment of the stream; one camera at a time.
  await page.addInitScript(() => {
    window.arrivals = [];
    const add = SourceBuffer.prototype.appendBuffer;
    SourceBuffer.prototype.appendBuffer = function (bytes) {
      const view = new DataView(bytes);
      const isFrame = view.byteLength > 68 && view.getUint32(4) === 0x6d6f6f66;
      // In `moof`: mfhd, traf, tfhd without options, tfdt.
      if (isFrame) window.arrivals.push([Number(view.getBigUint64(60)) / 90_000, performance.now()]);
      return add.call(this, bytes);
    };
  });

  const began = Date.now();
  await logIn(page, url, user, password);
  const report = { firstPictureMs: {}, seen: {}, dropped: {} };
  const middle = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? null;
  for (const camera of cameras) {
    const video = page.locator(`video[data-camera="${camera}"]`);
    await video.waitFor({ state: 'attached' });
    await page.waitForFunction(
      (id) => document.querySelector(`video[data-camera="${id}"]`)?.currentTime > 1,
      camera,
    );
    report.firstPictureMs[camera] = Date.now() - began;
    for (let shot = 0; shot < SHOTS; shot += 1) {
      await shoot(video, join(out, `${camera}-${shot}.png`));
    }
    const quality = await video.evaluate((element) => {
      const { totalVideoFrames, droppedVideoFrames } = element.getVideoPlaybackQuality();
      return [totalVideoFrames, droppedVideoFrames];
    });
    [report.seen[camera], report.dropped[camera]] = quality;
  }
  report.overWebSocket = await page.getByText('over WebSocket').count();
  await page.screenshot({ path: join(out, 'wall.png') });
  await page.goto(`${url}/#/camera/${cameras[0]}`);
  await page.evaluate(() => (window.arrivals.length = 0));
  await page.locator('.camera-figures').waitFor();
  const large = page.locator(`.camera-page video[data-camera="${cameras[0]}"]`);
  await page.waitForFunction((element) => element.currentTime > 3, await large.elementHandle());
  // From a frame's arrival to its picture, and how far the newest is ahead.
  const looks = await large.evaluate(async (element, count) => {
    const found = [];
    for (let i = 0; i < count; i += 1) {
      const { mediaTime, at, received } = await new Promise((shown) => {
        element.requestVideoFrameCallback((now, frame) => {
          const { mediaTime, expectedDisplayTime, receiveTime } = frame;
          shown({ mediaTime, at: expectedDisplayTime, received: receiveTime });
        });
      });
      // Only WebRTC tells when it received a frame.
      if (received !== undefined) found.push({ shownAfter: at - received, behind: 0 });
      const came = window.arrivals.findLast(([time]) => Math.abs(time - mediaTime) < 0.002);
      if (came) found.push({ shownAfter: at - came[1], behind: window.arrivals.at(-1)[0] - mediaTime });
    }
    return found;
  }, LOOKS);
  report.shownAfterMs = middle(looks.map((look) => look.shownAfter));
  report.behindMs = middle(looks.map((look) => look.behind * 1000));
  report.largeDropped = await large.evaluate((element) => {
    const { totalVideoFrames, droppedVideoFrames } = element.getVideoPlaybackQuality();
    return [droppedVideoFrames, totalVideoFrames];
  });
  report.figures = await page.locator('.camera-figures').innerText();
  await page.screenshot({ path: join(out, 'camera.png') });

  report.complaints = complaints;
  console.log(JSON.stringify(report));
} finally {
  await browser.close();
}
