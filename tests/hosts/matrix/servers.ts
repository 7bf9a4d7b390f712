/** Limits and algorithms of sshd. */
import { expect } from 'vitest'
import { DEFAULT_ALGORITHMS } from '../../../electron/provision/ssh/algorithms.ts'
import { connectEndpoint } from '../../../electron/provision/ssh/endpoint.ts'
import { KnownHosts } from '../../../electron/provision/ssh/known-hosts.ts'
import { systemClock } from '../../../electron/base/clock.ts'
import type { Expected, Row, Trial } from './row.ts'

const bob = { user: 'bob' }
const RELOAD = 'kill -HUP $(cat $PID); sleep 0.3'

const nothingInCommon = async (trial: Trial, title: string, theirs: string, ours: readonly string[], next: string): Promise<Expected> => ({
  code: 'SSH_UNREACHABLE',
  what: `${trial.place} and Flotilla have no ${title} algorithm in common.`,
  why: `The host (${await softwareOf(trial)}) offers ${theirs}; Flotilla offers ${ours.join(', ')}.`,
  next,
})

/** As it introduces itself: "OpenSSH_9.2p1 Debian-2". */
const softwareOf = async ({ host, port }: Trial) =>
  (await host.run(`exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}; IFS= read -r line <&3; echo "$line"'`)).trim().replace('SSH-2.0-', '')

/** As many at once as a form that adds a pasted list of hosts makes. */
const together = async (trial: Trial, count: number): Promise<number> => {
  const environment = {
    ...{ home: trial.home, localUser: 'tester', configFile: `${trial.home}/none`, clock: systemClock },
    knownHosts: new KnownHosts({ own: `${trial.home}/own`, others: [] }),
  }
  const { host, port, hostKey, key } = trial
  const endpoint = { host: host.address, port, user: 'bob', hostKey }
  const made = await Promise.all(
    Array.from({ length: count }, () => connectEndpoint(endpoint, { environment, credentials: { keyFile: key('ed25519') } })),
  )
  await Promise.all(made.map(({ connection }) => connection[Symbol.asyncDispose]()))
  return made.length
}

export const SERVERS: readonly Row[] = [
  { ...bob, name: 'no SFTP', sshd: ['Subsystem sftp /bin/false'] },
  {
    ...bob,
    name: 'MaxSessions 1',
    sshd: ['MaxSessions 1'],
    async check(_, { connection }) {
      const all = await Promise.all([1, 2, 3, 4].map((n) => connection.exec(`sleep 0.1; echo ${n}`)))
      expect(all.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n', '4\n'])
    },
  },
  {
    ...bob,
    name: 'MaxSessions 0',
    sshd: ['MaxSessions 0'],
    fails: () => ({
      code: 'SSH_CONNECTION_LOST',
      what: 'The host lets no commands run.',
      why: 'It was signed in to, but it opens no session: (SSH) Channel open failure: open failed.',
      next: 'Set MaxSessions to 1 or more in sshd_config there and reload sshd.',
    }),
    mend: `sed -i '/MaxSessions/d' $CONF; ${RELOAD}`,
  },
  {
    ...bob,
    name: 'MaxStartups that turns away all but two at a time',
    sshd: ['MaxStartups 2:100:2'],
    root: null,
    async check(trial) {
      expect(await together(trial, 6)).toBe(6)
    },
  },
  {
    ...bob,
    name: 'a server that turns everybody away',
    sshd: ['MaxStartups 1:100:1', 'LoginGraceTime 60'],
    root: null,
    async before({ host, port }) {
      await host.exec(
        `(exec 3<>/dev/tcp/127.0.0.1/${port}; sleep 30) >/dev/null 2>&1 </dev/null & echo $! > /run/holder`
          .replace(/^/, "bash -c '")
          .concat("'"),
      )
      await host.run('sleep 0.3')
    },
    fails: ({ host, port }) => ({
      code: 'SSH_UNREACHABLE',
      what: `Could not reach ${host.address} on port ${port}.`,
      why: 'The host closed 5 connections before SSH began.',
      next: 'It may limit how many sign in at once (MaxStartups in sshd_config), or refuse this computer (fail2ban, hosts.deny): look there.',
    }),
    mend: `pkill -f '^sleep 30$' || true; sleep 0.2`,
    then: { before: async () => undefined },
  },
  {
    ...bob,
    name: 'only ciphers of the past, until ssh_config takes one',
    sshd: ['Ciphers aes256-cbc,aes128-cbc'],
    fails: (trial) =>
      nothingInCommon(
        trial,
        'cipher',
        'aes256-cbc, aes128-cbc',
        DEFAULT_ALGORITHMS.cipher,
        "Allow one of Flotilla's in Ciphers of its sshd_config, or accept one of the host's for it in your ~/.ssh/config: Ciphers +aes256-cbc",
      ),
    then: { config: ({ host }) => `Host ${host.address}\n Ciphers +aes256-cbc\n` },
  },
  {
    ...bob,
    name: 'only a key exchange that is too new',
    sshd: ['KexAlgorithms sntrup761x25519-sha512@openssh.com'],
    fails: (trial) =>
      nothingInCommon(
        trial,
        'key exchange',
        'sntrup761x25519-sha512@openssh.com',
        DEFAULT_ALGORITHMS.kex,
        "Allow one of Flotilla's in KexAlgorithms of its sshd_config.",
      ),
    mend: `sed -i '/KexAlgorithms/d' $CONF; ${RELOAD}`,
  },
  {
    ...bob,
    name: 'only MACs that are not known',
    sshd: ['Ciphers aes128-ctr', 'MACs umac-128-etm@openssh.com,umac-64@openssh.com'],
    fails: (trial) =>
      nothingInCommon(
        trial,
        'MAC',
        'umac-128-etm@openssh.com, umac-64@openssh.com',
        DEFAULT_ALGORITHMS.mac,
        "Allow one of Flotilla's in MACs of its sshd_config.",
      ),
    mend: `sed -i '/MACs/d' $CONF; ${RELOAD}`,
  },
  {
    ...bob,
    name: 'a hardened server',
    sshd: [
      'Ciphers aes256-gcm@openssh.com',
      'MACs hmac-sha2-512-etm@openssh.com',
      'KexAlgorithms curve25519-sha256',
      'MaxAuthTries 2',
      'AllowAgentForwarding no',
      'X11Forwarding no',
      'PermitTTY no',
    ],
  },
  {
    ...bob,
    name: 'only chacha20-poly1305 and NIST curves',
    sshd: ['Ciphers chacha20-poly1305@openssh.com', 'KexAlgorithms ecdh-sha2-nistp521'],
  },
  {
    ...bob,
    name: 'only a fixed group and CTR with a plain MAC',
    sshd: ['Ciphers aes192-ctr', 'MACs hmac-sha2-256', 'KexAlgorithms diffie-hellman-group16-sha512'],
  },
  { ...bob, name: 'keys exchanged anew every 200 KiB', sshd: ['RekeyLimit 200K'] },
  { ...bob, name: 'compression', sshd: ['Compression yes'] },
  {
    ...bob,
    name: 'no forwarding',
    sshd: ['AllowTcpForwarding no'],
    fails: ({ host }) => ({
      code: 'PREFLIGHT_FAILED',
      what: `${host.address} cannot be a node yet.`,
      why: 'SSH forwarding: sshd does not listen for Flotilla (remote forwarding).',
      next: 'Set "AllowTcpForwarding yes" in sshd_config there and reload sshd.',
    }),
    mend: `sed -i '/AllowTcpForwarding/d' $CONF; ${RELOAD}`,
  },
  {
    ...bob,
    name: 'forwarding one way only',
    sshd: ['AllowTcpForwarding remote'],
    fails: ({ host }) => ({
      code: 'PREFLIGHT_FAILED',
      what: `${host.address} cannot be a node yet.`,
      why: 'SSH forwarding: sshd does not connect for Flotilla (local forwarding): (SSH) Channel open failure: open failed.',
      next: 'Set "AllowTcpForwarding yes" in sshd_config there and reload sshd.',
    }),
    mend: `sed -i '/AllowTcpForwarding/d' $CONF; ${RELOAD}`,
  },
]
