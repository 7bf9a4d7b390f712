// @ts-check
// Stands in for the agent where a test looks at the machine only: reads its configuration, says so, answers on its port with what the
// API server's port says through the link, and stays.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'

// `agent.mjs remove-network`: a stand-in has set up none.
if (process.argv.includes('remove-network')) process.exit(0)

const at = process.argv.indexOf('--config')
const config = JSON.parse(readFileSync(process.argv[at + 1] ?? '', 'utf8'))
console.log(`stub agent of ${config.nodeName} at ${config.nodeIP}`)
const token = existsSync(config.bootstrapTokenFile) ? readFileSync(config.bootstrapTokenFile, 'utf8') : 'no token'
writeFileSync('/run/flotilla/stub-agent', `${process.pid} ${process.version} ${token}`)

createServer((socket) => {
  socket.on('error', () => undefined)
  const port = Number(readFileSync(config.apiPortFile, 'utf8'))
  socket.write(`${config.nodeName} `)
  connect(port, '127.0.0.1')
    .on('error', () => socket.end('no way to the API server'))
    .pipe(socket)
}).listen(config.port, '127.0.0.1')
