/** The two scripts that Chromium runs in each new document of a window. */
import { makeBridge } from './bridge.mjs'
import { makeCodec } from './codec.mjs'
import { pageWorld } from './page-world.mjs'
import { preloadWorld } from './preload-world.mjs'

const sources = [makeCodec, makeBridge].map(String).join(', ')

/** @param {string} secret */
export const pageScript = (secret) => `(${String(pageWorld)})(${JSON.stringify(secret)}, ${sources})`

/**
 * The preload's own text stands inside a function, as under Electron.
 *
 * @param {{ secret: string, binding: string, entry: string, process: object }} setup
 * @param {string} preload
 */
export const preloadScript = (setup, preload) =>
  `(${String(preloadWorld)})(${JSON.stringify(setup)}, ${sources}, function (require, module, exports, process, global) {
${preload}
})`
