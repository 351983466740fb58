// An officer permits clear stills, an integrator draws on one, the officer takes
// the permit back; in Chromium.
//
//   node still.mjs URL OFFICER INTEGRATOR PASSWORD OUT CAMERA R,G,B
//
// Writes JSON: how many pixels of the canary's colour the still shows, and the
// page's own live picture beside it; and the page's complaints. Screenshots go
// to OUT.
import { join } from 'node:path';
import { faults, logIn, open } from './chromium.mjs';

const [url, officer, integrator, password, out, camera, colour] = process.argv.slice(2);
const canary = colour.split(',').map(Number);

/** Pixels of what an element shows that are like the canary. */
function canaryPixels(element) {
  return element.evaluate((shown, [r, g, b]) => {
    const canvas = document.createElement('canvas');
    canvas.width = shown.videoWidth ?? shown.naturalWidth;
    canvas.height = shown.videoHeight ?? shown.naturalHeight;
    const pen = canvas.getContext('2d');
    pen.drawImage(shown, 0, 0);
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
    let like = 0;
    for (let i = 0; i < data.length; i += 4) {
      const apart = Math.max(Math.abs(data[i] - r), Math.abs(data[i + 1] - g), Math.abs(data[i + 2] - b));
      if (apart < 60) like += 1;
    }
    return like;
  }, canary);
}

const { browser, newPage } = await open();
try {
  const permits = await newPage();
  const complaints = [];
  const listen = (page) => page.on('console', (line) => {
    if (line.type() === 'error') complaints.push(`${line.text()} ${line.location().url}`);
  });
  const draws = await newPage();
  await logIn(permits, url, officer, password);
  await permits.getByRole('link', { name: 'Clear stills' }).click();
  await logIn(draws, url, integrator, password);
  const video = draws.locator(`video[data-camera="${camera}"]`);
  await video.waitFor();
  listen(permits);
  listen(draws);
  await draws.goto(`${url}/#/masks/${camera}`);
  await draws.getByText('Nobody has permitted it now').waitFor();

  await permits.getByRole('button', { name: 'Permit' }).click();
  await permits.getByText('Fill in 1 to 60 minutes and a reason.').waitFor();
  await permits.getByLabel('Reason').fill('A new camera.');
  await permits.screenshot({ path: join(out, 'permit.png') });
  await permits.getByRole('button', { name: 'Permit' }).click();
  await permits.getByText('“A new camera.”').waitFor();
  await permits.screenshot({ path: join(out, 'permitted.png') });

  const live = draws.locator(`.masks-stage video[data-camera="${camera}"]`);
  await draws.waitForFunction((element) => element.currentTime > 1, await live.elementHandle());
  await draws.getByRole('button', { name: 'Clear still' }).click();
  const still = draws.getByAltText(`Clear still of ${camera}`);
  await still.waitFor();
  await still.evaluate((image) => image.decode());
  const shown = { still: await canaryPixels(still), live: await canaryPixels(live) };
  await draws.getByRole('button', { name: 'New zone' }).click();
  await draws.keyboard.press('Escape');
  await draws.screenshot({ path: join(out, 'still.png') });
  const serious = await faults(draws);

  await draws.getByRole('button', { name: 'Back to the live picture' }).click();
  await still.waitFor({ state: 'detached' });
  await draws.waitForTimeout(5000); // One in five seconds.
  await draws.getByRole('button', { name: 'Clear still' }).click();
  await still.waitFor();
  await permits.getByRole('button', { name: 'Withdraw' }).click();
  await still.waitFor({ state: 'detached' });
  await draws.getByText('Nobody has permitted it now').waitFor();
  console.log(JSON.stringify({ shown, serious, complaints }));
} finally {
  await browser.close();
}
