// Every page of the console in Chromium, in English on a control-room screen and in
// Dutch, whose words are longer, on a tablet: what axe finds serious, and what is wider
// than its screen.
//
//   node pages.mjs URL PASSWORD OUT CAMERA
//
// Asks as `anna`, who may do everything. Writes OUT/<language>-<screen>-<page>.png
// and one line of JSON: [page, what is wrong] for each fault.
import { join } from 'node:path';
import { faults, logIn, open } from './chromium.mjs';

const [url, password, out, camera] = process.argv.slice(2);

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

const found = [];
const { browser, newPage } = await open();
try {
  for (const [locale, screen] of [['en-GB', 'desk'], ['nl-NL', 'tablet']]) {
    const page = await newPage({ viewport: SCREENS[screen], locale });
    const look = async (name) => {
      const label = `${locale.slice(0, 2)}-${screen}-${name}`;
      page.removeAllListeners('pageerror');
      page.on('pageerror', (error) => found.push([label, String(error)]));
      await page.screenshot({ path: join(out, `${label}.png`) });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wide > 0) found.push([label, `${wide} px wider than the screen`]);
      for (const fault of await faults(page)) found.push([label, fault]);
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
  console.log(JSON.stringify(found));
} finally {
  await browser.close();
}
