// Two integrators at one camera's masks, in Chromium: a conflict, a second
// person, a roll-back, and a session that ends in the middle of an edit.
//
//   node people.mjs URL PASSWORD OUT CAMERA
//
// The gateway wants a second person for what hides less. Writes one line of JSON:
// what each step came to.
import { join } from 'node:path';
import { logIn, open } from './chromium.mjs';

const [url, password, out, camera] = process.argv.slice(2);
const { browser, newPage } = await open();
const came = {};
try {
  const enter = async (name) => {
    const page = await newPage();
    await logIn(page, url, name, password);
    await page.locator('video').first().waitFor({ state: 'attached' });
    await edit(page);
    return page;
  };
  const edit = async (page) => {
    await page.goto(`${url}/#/masks/${camera}`);
    // So that nothing of the last look is left.
    await page.reload();
    await page.locator('.masks-stage video').waitFor();
    const drawing = page.getByRole('button', { name: 'New zone' });
    await drawing.waitFor();
    await page.waitForFunction((button) => !button.disabled && button.getAttribute('aria-disabled') !== 'true',
      await drawing.elementHandle());
  };
  /** A triangle of zones that lies where `left` says, in shares of the picture. */
  const draw = async (page, left) => {
    await page.getByRole('button', { name: 'New zone' }).click();
    const sheet = await page.locator('.masks-stage svg').boundingBox();
    for (const [x, y] of [[left, 0.6], [left + 0.1, 0.6], [left + 0.05, 0.8]]) {
      await page.keyboard.down('Alt');
      await page.mouse.click(sheet.x + x * sheet.width, sheet.y + y * sheet.height);
      await page.keyboard.up('Alt');
    }
    await page.keyboard.press('Enter');
  };
  const dialog = (page) => page.getByRole('dialog');
  const press = (page, name) => dialog(page).getByRole('button', { name, exact: true }).click();
  const heading = async (page) => {
    const first = dialog(page).getByRole('heading').first();
    await first.waitFor();
    return first.innerText();
  };
  const closed = (page) => dialog(page).waitFor({ state: 'detached' });
  const asks = (page) => page.getByRole('button', { name: 'Save…' }).click();
  const versions = (page) => page.getByRole('button', { name: 'Versions' })
    .or(page.getByRole('tab', { name: 'Versions' })).first().click();
  const row = (page, number) => page.locator('table tbody tr', {
    has: page.getByRole('rowheader', { name: String(number), exact: true }),
  });

  const [iris, joris] = [await enter('iris'), await enter('joris')];

  // Joris is first.
  await draw(joris, 0.2);
  await asks(joris);
  await press(joris, 'Save');
  await closed(joris);

  // Iris is told of it, keeps her draft, and saves over his version: that hides less.
  await draw(iris, 0.6);
  await asks(iris);
  await press(iris, 'Save');
  await iris.waitForFunction(() => document.querySelector('dialog, [role=dialog]')?.textContent.includes('meanwhile'));
  came.conflict = await heading(iris);
  came.conflictNames = (await dialog(iris).innerText()).includes('joris');
  await iris.screenshot({ path: join(out, 'conflict.png') });
  await press(iris, 'Save mine over it');
  await dialog(iris).getByLabel(/Why do these masks cover less/).fill('His zone was drawn by mistake.');
  await iris.screenshot({ path: join(out, 'needs-reason.png') });
  await press(iris, 'Save');
  await closed(iris);
  came.waits = await iris.getByText('waits until a second person approves it').first().isVisible();

  // Who proposed it cannot approve it; Joris can.
  await versions(iris);
  await row(iris, 3).waitFor();
  came.own = await row(iris, 3).innerText();
  await versions(joris);
  await row(joris, 3).getByRole('button', { name: 'Approve' }).click();
  await row(joris, 3).getByText('in effect').waitFor();
  came.approved = await row(joris, 3).innerText();
  await joris.screenshot({ path: join(out, 'versions.png') });

  // He brings his own back, which hides less than hers: she refuses it.
  await row(joris, 2).getByRole('button', { name: 'Restore' }).click();
  await dialog(joris).getByRole('textbox').fill('It was no mistake.');
  await press(joris, 'Restore');
  await closed(joris);
  await edit(iris);
  await versions(iris);
  await row(iris, 4).getByRole('button', { name: 'Refuse' }).click();
  await row(iris, 4).getByText('refused').waitFor();
  came.refused = await row(iris, 4).innerText();

  // Her session ends while she draws: the draft is there when she is back.
  await edit(iris);
  await draw(iris, 0.4);
  await iris.context().clearCookies();
  await asks(iris);
  await press(iris, 'Save');
  await iris.getByLabel('Password').waitFor();
  await iris.getByLabel('Name').fill('iris');
  await iris.getByLabel('Password').fill(password);
  await iris.keyboard.press('Enter');
  await iris.getByText('You have changes that are not saved').waitFor();
  await asks(iris);
  came.draft = await dialog(iris).innerText();
  await press(iris, 'Save');
  await closed(iris);
  came.saved = await iris.getByText('Saved as version 5').first().isVisible();
  console.log(JSON.stringify(came));
} catch (error) {
  for (const context of browser.contexts()) {
    for (const page of context.pages()) {
      await page.screenshot({ path: join(out, `failed-${browser.contexts().indexOf(context)}.png`) });
    }
  }
  console.error(JSON.stringify(came));
  throw error;
} finally {
  await browser.close();
}
