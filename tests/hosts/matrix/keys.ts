/** Keys of every kind that ssh-keygen makes, and agents that hold some. */
import { spawn } from 'node:child_process'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { until, type Lab } from '../lab/lab.ts'
import { exec } from './row.ts'

const KINDS: Readonly<Record<string, readonly string[]>> = {
  ed25519: ['-t', 'ed25519'],
  'ecdsa-256': ['-t', 'ecdsa', '-b', '256'],
  'ecdsa-384': ['-t', 'ecdsa', '-b', '384'],
  'ecdsa-521': ['-t', 'ecdsa', '-b', '521'],
  'ecdsa-pkcs8': ['-t', 'ecdsa', '-m', 'PKCS8'],
  rsa: ['-t', 'rsa', '-b', '2048'],
  'rsa-pem': ['-t', 'rsa', '-b', '2048', '-m', 'PEM'],
  'ed25519-ctr': ['-t', 'ed25519', '-Z', 'aes256-ctr', '-N', 'sesame'],
  'ed25519-gcm': ['-t', 'ed25519', '-Z', 'aes256-gcm@openssh.com', '-N', 'sesame'],
  'ed25519-chacha': ['-t', 'ed25519', '-Z', 'chacha20-poly1305@openssh.com', '-N', 'sesame'],
  'rsa-pem-aes': ['-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', 'sesame'],
  'ecdsa-pkcs8-aes': ['-t', 'ecdsa', '-m', 'PKCS8', '-N', 'sesame'],
}

/** Strangers' keys in an agent, before the one that is taken. */
const CROWD = 6

export interface Keys extends AsyncDisposable {
  /** The file of a key, or the socket of an agent: "agent.socket" has one key, "crowd.socket" many. */
  path(name: string): string
  /** Lines for authorized_keys. */
  readonly authorized: string
}

export async function makeKeys(lab: Lab): Promise<Keys> {
  const dir = join(lab.dir, 'keys')
  await mkdir(dir)
  const path = (name: string) => join(dir, name)
  const make = async (name: string, args: readonly string[]) => {
    const phrase = args.includes('-N') ? [] : ['-N', '']
    await exec('ssh-keygen', ['-q', '-C', name, '-f', path(name), ...phrase, ...args])
  }
  const strangers = ['stranger', ...Array.from({ length: CROWD }, (_, i) => `stranger-${i}`)]
  await Promise.all([
    ...Object.entries(KINDS).map(([name, args]) => make(name, args)),
    ...strangers.map((name) => make(name, ['-t', 'ed25519'])),
  ])
  const agents = await Promise.all([
    startAgent(path('agent.socket'), [path('ed25519')]),
    startAgent(path('crowd.socket'), [...strangers.map(path), path('ed25519')]),
  ])
  const texts = await Promise.all(Object.keys(KINDS).map((name) => readFile(`${path(name)}.pub`, 'utf8')))
  return {
    path,
    authorized: texts.join(''),
    async [Symbol.asyncDispose]() {
      for (const agent of agents) agent.kill()
    },
  }
}

async function startAgent(socket: string, keys: readonly string[]) {
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
  await until('the agent listens', () =>
    stat(socket).then(
      () => true,
      () => false,
    ),
  )
  await exec('ssh-add', ['-q', ...keys], { env: { SSH_AUTH_SOCK: socket, PATH: process.env['PATH'] } })
  return agent
}
