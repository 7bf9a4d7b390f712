// @ts-check
// Stands in for the agent where a test looks at the machine only: reads its configuration, says so, and stays.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const at = process.argv.indexOf('--config')
const config = JSON.parse(readFileSync(process.argv[at + 1] ?? '', 'utf8'))
console.log(`stub agent of ${config.nodeName} at ${config.nodeIP}`)
const token = existsSync(config.bootstrapTokenFile) ? readFileSync(config.bootstrapTokenFile, 'utf8') : 'no token'
writeFileSync('/run/flotilla/stub-agent', `${process.pid} ${process.version} ${token}`)
setInterval(() => undefined, 1 << 30)
