/** For development: `node tests/ui/fake/serve.ts [--empty] [--dir=…] [--port=…]` serves the UI over a fake face and prints its address. */
import { startFakeApp } from './app.ts'

const value = (name: string) => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.split('=')[1]
const dir = value('dir')
const app = await startFakeApp({
  empty: process.argv.includes('--empty'),
  port: Number(value('port') ?? 0),
  ...(dir ? { rendererDir: dir } : {}),
})
console.log(app.url)
process.once('SIGINT', () => void app[Symbol.asyncDispose]())
