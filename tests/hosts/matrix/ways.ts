/** Ways to a host: jump hosts, ProxyCommand, and networks that are slow or not there. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { USERS } from '../lab/base-root.ts'
import type { Row, Trial } from './row.ts'

const exec = promisify(execFile)

/** The gate, with a host key that is pinned. */
const gate = async ({ gate: host }: Trial, user = 'eve') => ({ host: host.address, port: 22, user, hostKey: await host.hostKey() })

/** The host is behind one that is behind another. */
const chainText = (trial: Trial): string => `Host first
  HostName ${trial.gate.address}
  User eve
  IdentityFile ${trial.key('rsa')}
Host between
  HostName ${trial.second.address}
  User bob
  IdentityFile ${trial.key('ecdsa-256')}
  ProxyJump first
Host ${trial.host.address}
  ProxyJump between
Host *
  StrictHostKeyChecking accept-new
`

export const WAYS: readonly Row[] = [
  {
    name: 'a jump host with credentials of its own',
    user: 'bob',
    endpoint: async (trial) => ({ jump: await gate(trial) }),
    give: ({ key }) => ({ keyFile: key('ed25519'), jump: { password: USERS.eve.password } }),
    async check(trial, { connection }) {
      const from = (await connection.exec('echo $SSH_CONNECTION')).stdout.split(' ')[0]
      if (from !== trial.gate.address) throw new Error(`it came from ${from}`)
    },
  },
  {
    name: 'jump hosts one behind the other, each with its own user and key in ssh_config',
    user: 'bob',
    config: (trial) => chainText(trial),
    async check(trial, { connection, via }) {
      const from = (await connection.exec('echo $SSH_CONNECTION')).stdout.split(' ')[0]
      if (from !== trial.second.address || via?.user !== 'bob') throw new Error(`it came from ${from} as ${via?.user}`)
    },
  },
  {
    name: 'ProxyJump with a list',
    config: (trial) => `${chainText(trial)}`.replace('ProxyJump between', 'ProxyJump first,between').replace('  ProxyJump first\n', ''),
    root: null,
  },
  {
    name: 'ProxyJump in a circle',
    user: 'bob',
    config: ({ host, gate: one }) => `Host ${host.address}\n ProxyJump ${one.address}\nHost *\n ProxyJump ${host.address}\n`,
    fails: ({ host }) => ({
      code: 'INVALID_INPUT',
      what: `There is no way to ${host.address}.`,
      why: 'ProxyJump in ssh_config leads over more than 8 hosts, or in a circle.',
      next: `Look at ProxyJump of its jump hosts in ~/.ssh/config.`,
    }),
    then: { config: () => '' },
  },
  {
    name: 'a jump host that refuses the password',
    endpoint: async (trial) => ({ jump: await gate(trial) }),
    give: ({ key }) => ({ keyFile: key('ed25519'), jump: { password: 'wrong' } }),
    root: null,
    fails: (trial) => ({
      code: 'SSH_AUTH_FAILED',
      what: `Could not sign in to ${trial.gate.address} as eve.`,
      why: 'It refused the password. It accepts publickey, password.',
      next: 'Check the user name and the password.',
    }),
    then: { give: ({ key }) => ({ keyFile: key('ed25519'), jump: { keyFile: key('ecdsa-384') } }) },
  },
  {
    name: 'a jump host that does not forward',
    endpoint: async (trial) => ({ jump: { ...(await gate(trial)), port: trial.port, host: trial.host.address, hostKey: trial.hostKey } }),
    sshd: ['AllowTcpForwarding no'],
    fails: ({ host, port }) => ({
      code: 'SSH_UNREACHABLE',
      what: `Could not reach ${host.address} on port ${port} through ${host.address}.`,
      why: 'The jump host said: (SSH) Channel open failure: open failed.',
      next: 'Check the address as the jump host sees it, and that it allows forwarding.',
    }),
    root: null,
    mend: `sed -i '/AllowTcpForwarding/d' $CONF; kill -HUP $(cat $PID); sleep 0.3`,
  },
  {
    name: 'ProxyCommand',
    config: ({ key, home, gate: one }) =>
      `ProxyCommand ssh -F none -i ${key('ed25519')} -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=${home}/theirs -W %h:%p eve@${one.address} 2>/dev/null\n`,
    root: null,
    async check(trial, { connection }) {
      const from = (await connection.exec('echo $SSH_CONNECTION')).stdout.split(' ')[0]
      if (from !== trial.gate.address) throw new Error(`it came from ${from}`)
    },
  },
  {
    name: 'ProxyCommand that fails',
    config: () => 'ProxyCommand sh -c "echo no such tunnel >&2; exit 4"\n',
    root: null,
    fails: ({ host, port }) => ({
      code: 'SSH_UNREACHABLE',
      what: `Could not reach ${host.address} on port ${port}.`,
      why: 'ProxyCommand said: no such tunnel.',
      next: 'Check ProxyCommand of this host in ~/.ssh/config.',
    }),
    then: { config: () => '' },
  },
  {
    name: 'a port where nothing listens',
    endpoint: () => ({ port: 1 }),
    root: null,
    fails: ({ host }) => ({
      code: 'SSH_UNREACHABLE',
      what: `Could not reach ${host.address} on port 1.`,
      why: 'The host answers, but nothing listens on port 1.',
      next: 'Check the port, and that an SSH server runs there.',
    }),
    then: { endpoint: ({ port }) => ({ port }) },
  },
  {
    name: 'a firewall that swallows, and ConnectTimeout',
    prepare: `nft add table ip lab; nft add chain ip lab in '{ type filter hook input priority 0; }'; nft add rule ip lab in tcp dport 2000-3000 drop`,
    clear: 'nft delete table ip lab 2>/dev/null; true',
    config: () => 'ConnectTimeout 1\n',
    root: null,
    fails: ({ host, port }) => ({
      code: 'SSH_UNREACHABLE',
      what: `Could not reach ${host.address} on port ${port}.`,
      why: 'It did not answer in time.',
      next: 'Check that it is switched on, the address, and that no firewall is between.',
    }),
    mend: 'nft delete table ip lab',
    then: { config: () => '' },
  },
  {
    name: 'a link of 4 Mbit/s that loses every thirtieth packet',
    user: 'bob',
    prepare: `nft add table ip lab; nft add chain ip lab in '{ type filter hook input priority 0; }'; nft add rule ip lab in numgen random mod 30 == 0 drop`,
    clear: 'nft delete table ip lab',
    before: async ({ host }) =>
      void (await exec('tc', 'qdisc replace dev LINK root tbf rate 4mbit burst 16kb latency 400ms'.replace('LINK', host.link).split(' '))),
    check: async ({ host }) => void (await exec('tc', ['qdisc', 'del', 'dev', host.link, 'root'])),
  },
]
