/** SSH servers as they are found in the field: each row has its own configuration, and every message that a person would see. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { Lab } from './lab/lab.ts'
import { makeKeys, type Keys } from './matrix/keys.ts'
import { tryRow, type Row, type Site } from './matrix/row.ts'
import { HOST_KEYS } from './matrix/host-keys.ts'
import { ROOT, SHELLS } from './matrix/root.ts'
import { SERVERS } from './matrix/servers.ts'
import { SIGN_IN } from './matrix/sign-in.ts'
import { WAYS } from './matrix/ways.ts'

let lab: Lab
let keys: Keys
let site: Site

beforeAll(async () => {
  lab = await Lab.create()
  keys = await makeKeys(lab)
  const [host, gate, second] = [await lab.host(), await lab.host(), await lab.host()]
  // All may become root without a password but ana, who is asked for it.
  for (const one of [host, gate, second])
    await one.run(`for home in /root /home/ana /home/bob /home/eve; do cat >> $home/.ssh/authorized_keys <<'X'\n${keys.authorized}X\ndone`)
  site = { lab, host, gate, second, key: (name) => keys.path(name) }
}, 300_000)
afterAll(async () => {
  await keys?.[Symbol.asyncDispose]()
  await lab?.[Symbol.asyncDispose]()
})

const rows = (all: readonly Row[]) => it.each(all.map((row) => [row.name, row] as const))('%s', (_, row) => tryRow(site, row))

describe('signing in', () => rows(SIGN_IN))
describe('host keys', () => rows(HOST_KEYS))
describe('ways to the host', () => rows(WAYS))
describe('root', () => rows(ROOT))
describe('login shells', () => rows(SHELLS))
describe('servers', () => rows(SERVERS))
