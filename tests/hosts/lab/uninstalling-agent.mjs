// @ts-check
// Stands in for the agent where it is asked to take itself off the machine: mutual TLS on its port, and the uninstall script.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

// `agent.mjs remove-network`: a stand-in has set up none.
if (process.argv.includes('remove-network')) process.exit(0)

const at = process.argv.indexOf('--config')
const config = JSON.parse(readFileSync(process.argv[at + 1] ?? '', 'utf8'))
const read = (/** @type {string} */ name) => readFileSync(`/var/lib/lab/${name}`)
const tls = {
  ca: readFileSync(config.caFile),
  cert: read('agent.crt'),
  key: read('agent.key'),
  requestCert: true,
  rejectUnauthorized: true,
}

createServer(tls, (request, response) => {
  if (request.method !== 'POST' || request.url !== '/flotilla/v1/uninstall') return void response.writeHead(404).end()
  response.writeHead(202).end('removing\n')
  spawn('/opt/flotilla/bin/flotilla-uninstall', [], { detached: true, stdio: 'ignore' }).unref()
}).listen(config.port, '127.0.0.1')
