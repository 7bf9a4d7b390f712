// @ts-check
// Stands in for the agent where a test looks at the machine only: reads its configuration, says so, and stays.
import { readFileSync, writeFileSync } from 'node:fs'

const at = process.argv.indexOf('--config')
const config = JSON.parse(readFileSync(process.argv[at + 1] ?? '', 'utf8'))
console.log(`stub agent of ${config.nodeName} at ${config.nodeIP}`)
writeFileSync('/run/flotilla/stub-agent', `${process.pid} ${process.version} ${readFileSync(config.bootstrapTokenFile, 'utf8')}`)
setInterval(() => undefined, 1 << 30)
