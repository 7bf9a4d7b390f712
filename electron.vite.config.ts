import { resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'electron-vite'
import type { Plugin } from 'vite'

const entry = (path: string) => resolve(import.meta.dirname, path)

/**
 * Importing `node:http` reads everything that it exports, and with it Node's own WebSocket and fetch are loaded: some 20 ms in each
 * thread, for what nobody uses. Taken from the module itself, only what is named is read.
 */
const httpAlone: Plugin = {
  name: 'http-alone',
  renderChunk(code) {
    const taken = code.replace(/^import (?:(\w+)(?:, )?)?(?:\{([^}]*)\} )?from "node:http";$/m, (_whole, whole = 'nodeHttp', names) => {
      const module = `const ${whole} = process.getBuiltinModule("node:http");`
      return names === undefined ? module : `${module} const {${names.replaceAll(' as ', ': ')}} = ${whole};`
    })
    if (/^import .*"node:http"/m.test(taken)) this.error('an import of node:http has a form that is not known here')
    return taken === code ? null : { code: taken, map: null }
  },
}

export default defineConfig({
  main: {
    plugins: [httpAlone],
    build: {
      outDir: 'out/main',
      // One file loads faster than a thousand, and no package has to be shipped beside it. What is native stays outside.
      externalizeDeps: false,
      rollupOptions: {
        external: ['node-pty', 'cpu-features', /\.node$/],
        input: {
          index: entry('electron/main/index.ts'),
          flotilla: entry('electron/headless/flotilla.ts'),
          'plane-worker': entry('electron/plane/worker-entry.ts'),
          'store-worker': entry('electron/store/embedded/worker.ts'),
        },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      // A sandboxed window's preload must be CommonJS.
      rollupOptions: { input: { index: entry('electron/preload/index.ts') }, output: { format: 'cjs', entryFileNames: '[name].cjs' } },
    },
  },
  renderer: {
    root: entry('renderer'),
    plugins: [vue()],
    build: { outDir: entry('out/renderer'), minify: true, rollupOptions: { input: { index: entry('renderer/index.html') } } },
  },
})
