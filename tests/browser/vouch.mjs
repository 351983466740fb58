// An integrator vouches for a preset on a clear still, and the officer, who permitted stills,
// withdraws it again; in Chromium.
//
//   node vouch.mjs URL OFFICER INTEGRATOR PASSWORD OUT CAMERA PRESET
//
// Writes JSON: whether the list called the preset covered before and after, how far the
// brightness of the live picture's left and right edge spreads while it is shown, and the
// page's complaints. Screenshots go to OUT.
import { join } from 'node:path';
import { faults, logIn, open } from './chromium.mjs';

const [url, officer, user, password, out, camera, preset] = process.argv.slice(2);

/** The standard deviation of the green of the left and of the right fifth. */
function spreads(video) {
  return video.evaluate((shown) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [shown.videoWidth, shown.videoHeight];
    const pen = canvas.getContext('2d');
    pen.drawImage(shown, 0, 0);
    const wide = Math.floor(canvas.width / 5);
    return [0, canvas.width - wide].map((left) => {
      const { data } = pen.getImageData(left, 0, wide, canvas.height);
      const green = data.filter((_, i) => i % 4 === 1);
      const mean = green.reduce((sum, g) => sum + g, 0) / green.length;
      return Math.sqrt(green.reduce((sum, g) => sum + (g - mean) ** 2, 0) / green.length);
    });
  });
}

const { browser, newPage } = await open();
try {
  const complaints = [];
  const page = await newPage();
  await logIn(page, url, user, password);
  page.on('console', (line) => {
    if (line.type() === 'error') complaints.push(`${line.text()} ${line.location().url}`);
  });
  const nobody = page.getByText('Nobody has vouched for its masks: the picture is covered there.');
  await page.goto(`${url}/#/masks/${camera}`);
  await nobody.waitFor();
  const covered = { before: await nobody.isVisible(), after: false };
  await page.screenshot({ path: join(out, 'list.png') });
  const serious = await faults(page);

  await page.getByRole('link', { name: 'Masks of North gate' }).click();
  await page.getByText('Whoever vouches looks at a clear still of this preset').waitFor();
  // The picture has to stand still for a moment before there is a still of it.
  const still = page.getByAltText(`Clear still of ${camera}`);
  for (;;) {
    await page.getByRole('button', { name: 'Clear still' }).click();
    const taken = page.getByText('You draw on a clear still of');
    const refused = page.getByText('There is no clear still now.');
    await taken.or(refused).first().waitFor();
    if (await taken.isVisible()) break;
    complaints.length = 0; // A refusal is a line in the browser's console.
    await page.waitForTimeout(5500);
  }
  await still.evaluate((image) => image.decode());
  await page.getByRole('button', { name: 'They fit: show this preset' }).click();
  await page.getByText('Fill in a reason.').waitFor();
  await page.getByLabel('Why you know that the masks fit').fill('Compared with the map.');
  await page.screenshot({ path: join(out, 'still.png') });
  serious.push(...(await faults(page)));
  await page.getByRole('button', { name: 'They fit: show this preset' }).click();
  await page.getByText('Done. From now on this preset is shown').waitFor();
  await page.getByRole('button', { name: 'Back to the live picture' }).click();
  const video = page.locator(`.masks-stage video[data-camera="${camera}"]`);
  await page.waitForFunction((shown) => shown.currentTime > 1, await video.elementHandle());
  // Until what was covered has gone by.
  let shown = await spreads(video);
  for (let tries = 0; tries < 40 && shown[1] < 10; tries += 1) {
    await page.waitForTimeout(250);
    shown = await spreads(video);
  }
  await page.screenshot({ path: join(out, 'shown.png') });

  await page.getByRole('link', { name: 'All presets of this camera' }).click();
  await page.getByText('“Compared with the map.”').waitFor();
  await page.getByText('here', { exact: true }).waitFor();
  await page.screenshot({ path: join(out, 'vouched.png') });
  await page.getByRole('button', { name: 'Withdraw: North gate' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Back', exact: true }).click();

  const theirs = await newPage();
  await logIn(theirs, url, officer, password);
  await theirs.getByText('“Compared with the map.”').waitFor();
  await theirs.screenshot({ path: join(out, 'officer.png') });
  serious.push(...(await faults(theirs)));
  await theirs.getByRole('button', { name: 'Withdraw: North gate' }).click();
  await theirs.getByRole('dialog').waitFor();
  await theirs.screenshot({ path: join(out, 'withdraw.png') });
  await theirs.getByRole('dialog').getByRole('button', { name: 'Withdraw', exact: true }).click();
  // Both are told.
  await theirs.getByText('Nobody has vouched for its masks: the picture is covered there.').waitFor();
  await nobody.waitFor();
  covered.after = await nobody.isVisible();
  console.log(JSON.stringify({ covered, shown, serious, complaints, preset }));
} finally {
  await browser.close();
}
