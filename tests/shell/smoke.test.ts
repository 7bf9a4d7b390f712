import { expect, it } from 'vitest'
import { builtApp, temporaryDir } from './built-app.ts'
import { launch } from './stand-in/harness.ts'
it('runs', async () => {
  await using app = await builtApp()
  await using dir = await temporaryDir()
  const t = performance.now()
  await using a = await launch({ app: app.dir, userData: dir.path, args: [`--state=${dir.path}/state`] })
  await a.until((e) => e.BrowserWindow.getAllWindows()[0]?.isVisible())
  console.log('visible', performance.now() - t)
  console.log(await a.page('[typeof require, typeof process, typeof window.flotilla, document.title, location.href]'))
  console.log(await a.untilPage('document.body.innerText.includes("Live") && document.body.innerText'))
  console.log(a.output)
  console.log(await a.quit())
  expect(1).toBe(1)
})
