/**
 * `node boot.ts APP [arguments]`: runs an app's built main module with `electron` resolved to the stand-in. With an IPC channel to its
 * parent it runs functions that come over it, and ends when the channel does.
 */
import { registerHooks } from 'node:module'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runInThisContext } from 'node:vm'
import { messageOf } from '../../../electron/base/errors.ts'
import { makeCodec } from './page/codec.mjs'

const ELECTRON = new URL('./electron.ts', import.meta.url).href
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron' ? { url: ELECTRON, format: 'module-typescript', shortCircuit: true } : next(specifier, context),
})
// As under Electron, the app is the first argument.
process.argv.splice(1, 1)

const electron = await import('./electron.ts')
const { encode, decode } = makeCodec()

async function evaluate({ id, code, arg }: { id: number; code: string; arg: string }): Promise<void> {
  let reply: { id: number; ok: boolean; value: string }
  try {
    const run = runInThisContext(`(${code})`) as (module: typeof electron, arg: unknown) => unknown
    reply = { id, ok: true, value: encode(await run(electron, decode(arg))) }
  } catch (error) {
    reply = { id, ok: false, value: encode(new Error(messageOf(error))) }
  }
  if (process.connected) process.send?.(reply)
}
if (process.send) {
  process.on('message', (message) => void evaluate(message as Parameters<typeof evaluate>[0]))
  process.on('disconnect', () => void electron.app.exit(0))
}

const home = resolve(process.argv[1] ?? '.')
const { main } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { main: string }
await import(pathToFileURL(join(home, main)).href)
await electron.start()
