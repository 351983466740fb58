// A stopwatch before a camera, in Chromium: reads the frame numbers that the
// simulated camera draws back from the page's own video element.
//
//   node glass.mjs URL USER PASSWORD CAMERA SECONDS
//
// Writes one line of JSON: [frame number, when it is shown in ms since 1970] for
// each new picture whose number can be read, and how many pictures there were.
import { logIn, open } from './chromium.mjs';

const [url, user, password, camera, seconds] = process.argv.slice(2);

const { browser, newPage } = await open();
try {
  const page = await newPage();
  await logIn(page, url, user, password);
  const video = page.locator(`video[data-camera="${camera}"]`);
  await video.waitFor({ state: 'attached' });
  await page.waitForFunction(
    (id) => document.querySelector(`video[data-camera="${id}"]`)?.currentTime > 2,
    camera,
  );
  const seen = await video.evaluate((element, lastsMs) => new Promise((done) => {
    // See src/sim/code.rs: 32 cells of 16 × 8 px in the bottom left corner.
    const [CELLS, WIDTH, HEIGHT] = [32, 16, 8];
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [CELLS * WIDTH, HEIGHT];
    const strip = canvas.getContext('2d', { willReadFrequently: true });
    const read = () => {
      const top = element.videoHeight - HEIGHT;
      strip.drawImage(element, 0, top, canvas.width, HEIGHT, 0, 0, canvas.width, HEIGHT);
      const { data } = strip.getImageData(0, 0, canvas.width, HEIGHT);
      const bits = [];
      for (let cell = 0; cell < CELLS; cell += 1) {
        const green = data[4 * ((HEIGHT / 2) * canvas.width + cell * WIDTH + WIDTH / 2) + 1];
        if (green > 100 && green < 155) return null;
        bits.push(green > 127 ? 1 : 0);
      }
      const number = bits.slice(0, 24).reduce((sum, bit) => sum * 2 + bit, 0);
      let crc = 0x5a;
      for (const bit of bits.slice(0, 24)) {
        const carry = (crc >> 7) ^ bit;
        crc = ((crc << 1) & 0xff) ^ (carry ? 0x07 : 0);
      }
      return crc === bits.slice(24).reduce((sum, bit) => sum * 2 + bit, 0) ? number : null;
    };
    const frames = [];
    let pictures = 0;
    const until = performance.now() + lastsMs;
    const onFrame = (_, { expectedDisplayTime }) => {
      pictures += 1;
      const number = read();
      if (number !== null) frames.push([number, performance.timeOrigin + expectedDisplayTime]);
      if (performance.now() > until) done({ frames, pictures });
      else element.requestVideoFrameCallback(onFrame);
    };
    element.requestVideoFrameCallback(onFrame);
  }), Number(seconds) * 1000);
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
