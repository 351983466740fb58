// Every page of the console in Chromium, in both languages, on a control-room
// screen and on a tablet: what axe finds serious, and what is wider than its screen.
//
//   node pages.mjs URL PASSWORD OUT CAMERA
//
// Asks as `anna`, who may do everything. Writes OUT/<language>-<screen>-<page>.png
// and one line of JSON: [page, what is wrong] for each fault.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { logIn, open } from './chromium.mjs';

const [url, password, out, camera] = process.argv.slice(2);
const axeFile = createRequire(fileURLToPath(new URL('../../assets/web/', import.meta.url)))
  .resolve('axe-core/axe.min.js');
const axe = await readFile(axeFile, 'utf8');

const SCREENS = { desk: { width: 1366, height: 768 }, tablet: { width: 820, height: 1180 } };
const PAGES = {
  wall: { at: '#/' },
  camera: { at: `#/camera/${camera}` },
  state: { at: '#/state' },
  picture: { at: `#/masks/${camera}` },
  panorama: { at: `#/masks/${camera}`, tab: /^Panorama$/ },
  versions: { at: `#/masks/${camera}`, tab: /^Versi/ },
  motion: { at: `#/masks/${camera}`, tab: /^(Motion check|Bewegingsproef)$/ },
  audit: { at: '#/audit' },
  stills: { at: '#/stills' },
  unknown: { at: '#/nowhere' },
};

const faults = [];
const { browser, newPage } = await open();
try {
  for (const locale of ['en-GB', 'nl-NL']) {
    for (const [screen, viewport] of Object.entries(SCREENS)) {
      const page = await newPage({ viewport, locale });
      const look = async (name) => {
        const label = `${locale.slice(0, 2)}-${screen}-${name}`;
        page.removeAllListeners('pageerror');
        page.on('pageerror', (error) => faults.push([label, String(error)]));
        await page.screenshot({ path: join(out, `${label}.png`) });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (wide > 0) faults.push([label, `${wide} px wider than the screen`]);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => window.axe.run());
        for (const { id, impact, nodes } of violations) {
          if (impact !== 'serious' && impact !== 'critical') continue;
          faults.push([label, `${id}: ${nodes.map(({ html }) => html).join(' ').slice(0, 300)}`]);
        }
      };
      await page.goto(url);
      await page.locator('input[type=password]').waitFor();
      await look('login');
      await logIn(page, url, 'anna', password);
      await page.locator('video').first().waitFor({ state: 'attached' });
      for (const [name, { at, tab }] of Object.entries(PAGES)) {
        await page.goto(`${url}/${at}`);
        if (tab) await page.getByRole('button', { name: tab }).or(page.getByRole('tab', { name: tab })).first().click();
        await page.locator('main h1, main h2, main video').first().waitFor({ state: 'attached' });
        // Pictures come, and what waits for them is gone.
        await page.waitForFunction(
          () => [...document.querySelectorAll('video')].every(({ currentTime }) => currentTime > 1),
        );
        await page.waitForTimeout(500);
        await look(name);
      }
      await page.context().close();
    }
  }
  console.log(JSON.stringify(faults));
} finally {
  await browser.close();
}
