/** What is on record of a host's key, and what it shows. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fingerprint, requireKey } from '../../../electron/provision/ssh/host-key.ts'
import { KnownHosts } from '../../../electron/provision/ssh/known-hosts.ts'
import { expect } from 'vitest'
import { exec, type Expected, type Row, type Trial } from './row.ts'

const named = ({ host, port }: Trial) => `[${host.address}]:${port}`
const print = (text: string) => fingerprint(requireKey(text))
const unpinned = { endpoint: () => ({ hostKey: undefined }), root: null }
const record = async (trial: Trial, ...lines: string[]) => await writeFile(trial.knownHosts, lines.map((line) => `${line}\n`).join(''))
const publicPart = async (trial: Trial, name: string) =>
  (await readFile(`${trial.key(name)}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ').trim()

const unknown = (trial: Trial, why = 'It is in none of the known_hosts files.'): Expected => ({
  code: 'SSH_HOST_KEY_UNKNOWN',
  what: `The key of ${trial.place} was never confirmed.`,
  why,
  next: 'Compare its fingerprint with the one that the host prints (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), and confirm it.',
})

/** A server with keys of three kinds. */
const THREE_KEYS = {
  prepare: `for kind in rsa ecdsa; do rm -f /root/host_$kind*; ssh-keygen -q -t $kind -N '' -f /root/host_$kind; done`,
  sshd: ['HostKey /root/host_ecdsa', 'HostKey /root/host_rsa'],
}

export const HOST_KEYS: readonly Row[] = [
  {
    name: 'a key that is not the pinned one',
    root: null,
    endpoint: async (trial) => ({ hostKey: await publicPart(trial, 'stranger') }),
    fails: async (trial) => ({
      code: 'SSH_HOST_KEY_CHANGED',
      what: `${trial.place} is not the host that was confirmed.`,
      why: `It shows ssh-ed25519 ${print(trial.hostKey)}; pinned is ssh-ed25519 ${print(await publicPart(trial, 'stranger'))}.`,
      next: 'If it was installed anew, remove the machine and add it again. If not, someone may be in between: do not go on.',
    }),
    then: { endpoint: ({ hostKey }) => ({ hostKey }) },
  },
  {
    ...unpinned,
    name: 'a key that was never confirmed',
    fails: (trial) => unknown(trial),
    then: { before: (trial) => record(trial, `${named(trial)} ${trial.hostKey}`) },
  },
  {
    ...unpinned,
    name: 'a known_hosts file that ssh-keygen hashed',
    before: async (trial) => {
      await record(trial, `other.example ${await publicPart(trial, 'stranger')}`, `${named(trial)} ${trial.hostKey}`)
      await exec('ssh-keygen', ['-q', '-H', '-f', trial.knownHosts])
      expect(await readFile(trial.knownHosts, 'utf8')).not.toContain(trial.host.address)
    },
  },
  {
    ...unpinned,
    name: 'a key that is revoked',
    before: (trial) => record(trial, `${named(trial)} ${trial.hostKey}`, `@revoked * ${trial.hostKey}`),
    fails: (trial) => ({
      code: 'SSH_HOST_KEY_CHANGED',
      what: `The key of ${trial.host.address} must not be trusted any more.`,
      why: `${trial.knownHosts}:2 marks ${print(trial.hostKey)} as revoked.`,
      next: 'Give the host a new key, then remove the machine and add it again.',
    }),
    endpoint: () => ({ hostKey: undefined }),
    then: { before: (trial) => record(trial, `${named(trial)} ${trial.hostKey}`) },
  },
  {
    name: 'a pinned key that was revoked since',
    root: null,
    before: (trial) => record(trial, `@revoked ${named(trial)} ${trial.hostKey}`),
    fails: (trial) => ({
      code: 'SSH_HOST_KEY_CHANGED',
      what: `The key of ${trial.host.address} must not be trusted any more.`,
      why: `${trial.knownHosts}:1 marks ${print(trial.hostKey)} as revoked.`,
      next: 'Give the host a new key, then remove the machine and add it again.',
    }),
    then: { before: (trial) => record(trial) },
  },
  {
    ...unpinned,
    name: "an authority for hosts' certificates",
    before: async (trial) => record(trial, `@cert-authority * ${await publicPart(trial, 'stranger')}`),
    fails: (trial) =>
      unknown(
        trial,
        `${trial.knownHosts}:1 trusts an authority for it, but Flotilla does not read hosts' certificates; its own key is in none of the known_hosts files.`,
      ),
    then: { endpoint: ({ hostKey }) => ({ hostKey }) },
  },
  {
    ...unpinned,
    name: 'StrictHostKeyChecking accept-new, which is remembered as OpenSSH reads it',
    config: () => 'StrictHostKeyChecking accept-new\n',
    async check(trial) {
      const { stdout } = await exec('ssh-keygen', ['-F', named(trial), '-f', join(trial.home, 'own')])
      expect(stdout).toContain(trial.hostKey)
    },
  },
  {
    ...unpinned,
    name: 'StrictHostKeyChecking no, which takes no key that has changed',
    config: () => 'StrictHostKeyChecking no\n',
    before: async (trial) => record(trial, `${named(trial)} ${await publicPart(trial, 'stranger')}`),
    fails: async (trial) => ({
      code: 'SSH_HOST_KEY_CHANGED',
      what: `${trial.place} is not the host that was confirmed.`,
      why: `It shows ssh-ed25519 ${print(trial.hostKey)}; pinned is ssh-ed25519 ${print(await publicPart(trial, 'stranger'))}.`,
      next: 'If it was installed anew, remove the machine and add it again. If not, someone may be in between: do not go on.',
    }),
    then: { before: (trial) => record(trial, `${named(trial)} ${trial.hostKey}`) },
  },
  {
    ...unpinned,
    name: 'HostName, HostKeyAlias and UserKnownHostsFile of ssh_config',
    endpoint: () => ({ host: 'fleet-one', hostKey: undefined }),
    config: ({ host, home }) => `Host fleet-*\n HostName ${host.address}\n HostKeyAlias fleet\n UserKnownHostsFile ${home}/fleet_hosts\n`,
    before: ({ home, hostKey }) => writeFile(join(home, 'fleet_hosts'), `fleet ${hostKey}\n`),
  },
  {
    ...unpinned,
    ...THREE_KEYS,
    name: 'a host with three keys, of which one is on record',
    before: async (trial) => record(trial, `${named(trial)} ${(await trial.host.run('cut -d" " -f1,2 /root/host_rsa.pub')).trim()}`),
    async check(_, { connection }) {
      expect(connection.hostKey.type).toBe('ssh-rsa')
    },
  },
  {
    name: 'a host whose key was made anew and confirmed again',
    root: null,
    async before({ host, port, home, hostKey }) {
      const known = new KnownHosts({ own: join(home, 'own'), others: [] })
      await known.remember(host.address, port, requireKey(await readFirst(`${home}/../keys/stranger.pub`)))
      await known.remember(host.address, port, requireKey(hostKey))
    },
    endpoint: () => ({ hostKey: undefined }),
  },
]

const readFirst = async (path: string) => (await readFile(path, 'utf8')).trim()
