import { resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'electron-vite'

const entry = (path: string) => resolve(import.meta.dirname, path)

export default defineConfig({
  main: {
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
