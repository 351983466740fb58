// What every script of these tests does with Chromium.
import { createRequire } from 'node:module';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const modules = fileURLToPath(new URL('../../assets/web/', import.meta.url));
const require = createRequire(modules);
const { chromium } = require('playwright-core');
const TIMEOUT_MS = 60_000;

/** A browser, with `more` switches; every `newPage` is a control-room screen of somebody else. */
export async function open(more = []) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
      ...more,
    ],
  });
  const newPage = async (options = {}) => {
    const screen = { viewport: { width: 1366, height: 768 }, locale: 'en-GB', ...options };
    const page = await browser.newPage(screen);
    page.setDefaultTimeout(TIMEOUT_MS);
    return page;
  };
  return { browser, newPage };
}

export async function logIn(page, url, user, password) {
  await page.goto(url);
  await page.locator('input[autocomplete=username]').fill(user);
  await page.locator('input[type=password]').fill(password);
  await page.keyboard.press('Enter');
}

/** What axe finds serious on a page, and where; told to the page past its policy, which lets no script in. */
export async function faults(page) {
  await page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ').slice(0, 300)}`);
}

/** Writes the next picture that the page's own video shows. */
export async function shoot(video, file) {
  const png = await video.evaluate(async (element) => {
    await new Promise((shown) => element.requestVideoFrameCallback(shown));
    const canvas = document.createElement('canvas');
    canvas.width = element.videoWidth;
    canvas.height = element.videoHeight;
    canvas.getContext('2d').drawImage(element, 0, 0);
    return canvas.toDataURL('image/png').split(',')[1];
  });
  await writeFile(file, Buffer.from(png, 'base64'));
}
