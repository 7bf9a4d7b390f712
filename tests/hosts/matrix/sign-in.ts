/** Keys, passphrases, agents, passwords, questions. */
import { createHmac } from 'node:crypto'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../../electron/base/clock.ts'
import { USERS } from '../lab/base-root.ts'
import { exec, type Expected, type Row, type Trial } from './row.ts'

const PASSWORD = USERS.ana.password

const refused = (trial: Trial, why: string, next: string, user = 'ana'): Expected => ({
  code: 'SSH_AUTH_FAILED',
  what: `Could not sign in to ${trial.place} as ${user}.`,
  why,
  next,
})

const byKey = (name: string, passphrase?: string): Row => ({
  name: `a key: ${name}`,
  give: ({ key }) => ({ keyFile: key(name), ...(passphrase === undefined ? {} : { passphrase }) }),
  root: null,
})

const keys: Row[] = [
  ...['ed25519', 'ecdsa-256', 'ecdsa-384', 'ecdsa-521', 'rsa', 'rsa-pem', 'ecdsa-pkcs8'].map((name) => byKey(name)),
  ...['ed25519-ctr', 'ed25519-gcm', 'rsa-pem-aes', 'ecdsa-pkcs8-aes'].map((name) => byKey(name, 'sesame')),
  { ...byKey('rsa'), name: 'an RSA key where SHA-1 signatures are refused', sshd: ['PubkeyAcceptedAlgorithms rsa-sha2-512,rsa-sha2-256'] },
  {
    ...byKey('ed25519-ctr'),
    name: 'a passphrase that is missing',
    fails: ({ key }) => ({
      code: 'SSH_KEY_UNUSABLE',
      what: `The key file ${key('ed25519-ctr')} cannot be used.`,
      why: 'It is encrypted, and no passphrase was given.',
      next: 'Enter its passphrase, or load it into your ssh-agent.',
    }),
    then: byKey('ed25519-ctr', 'sesame'),
  },
  {
    ...byKey('ed25519-ctr', 'open'),
    name: 'a passphrase that is wrong',
    fails: ({ key }) => ({
      code: 'SSH_KEY_UNUSABLE',
      what: `The key file ${key('ed25519-ctr')} cannot be used.`,
      why: 'The passphrase is wrong.',
      next: 'Enter the passphrase again.',
    }),
    then: byKey('ed25519-ctr', 'sesame'),
  },
  {
    ...byKey('ed25519-chacha', 'sesame'),
    name: 'a key in a cipher that is not read',
    give: ({ home }) => ({ keyFile: join(home, 'key'), passphrase: 'sesame' }),
    before: ({ key, home }) => copyFile(key('ed25519-chacha'), join(home, 'key')),
    fails: ({ home }) => ({
      code: 'SSH_KEY_UNUSABLE',
      what: `The key file ${join(home, 'key')} cannot be used.`,
      why: 'It is encrypted with chacha20-poly1305@openssh.com, which is not read.',
      next: `Encrypt it in another way: ssh-keygen -p -Z aes256-ctr -f ${join(home, 'key')}`,
    }),
    then: {
      before: async ({ home }) =>
        void (await exec('ssh-keygen', ['-q', '-p', '-Z', 'aes256-ctr', '-P', 'sesame', '-N', 'sesame', '-f', join(home, 'key')])),
    },
  },
  {
    ...byKey('stranger'),
    name: 'a key that is not in authorized_keys',
    fails: (trial) =>
      refused(
        trial,
        `It refused the key ${trial.key('stranger')}. It accepts publickey, password.`,
        'Check the user name and the key, or enter a password.',
      ),
    then: byKey('ed25519'),
  },
  {
    ...byKey('ed25519'),
    name: 'authorized_keys that others may write',
    sshd: ['PasswordAuthentication no'],
    prepare: 'chmod 777 /home/ana/.ssh/authorized_keys',
    clear: 'chmod 600 /home/ana/.ssh/authorized_keys',
    fails: (trial) =>
      refused(
        trial,
        `It refused the key ${trial.key('ed25519')}. It accepts publickey.`,
        'Check the user name, and that the public key is in its authorized_keys.',
      ),
    mend: 'chmod 600 /home/ana/.ssh/authorized_keys',
  },
  {
    name: 'the identity files that ssh would use, with nothing given',
    give: () => ({}),
    before: async ({ key, home }) => {
      await copyFile(key('ed25519'), join(home, '.ssh/id_ed25519'))
    },
    root: null,
  },
]

const agents: Row[] = [
  { name: 'an agent', agent: ({ key }) => key('agent.socket'), give: () => ({ useAgent: true }), root: null },
  {
    name: 'an agent with more keys than the host tries',
    sshd: ['MaxAuthTries 3', 'PasswordAuthentication no'],
    agent: ({ key }) => key('crowd.socket'),
    give: () => ({ useAgent: true }),
    root: null,
    fails: (trial) =>
      refused(
        trial,
        'It refused the keys of the ssh-agent. Then it ended the sign-in: too many keys were offered.',
        'Set IdentitiesOnly yes and the right IdentityFile for this host in ~/.ssh/config, or choose a key file.',
      ),
    then: { config: ({ host, key }) => `Host ${host.address}\n IdentitiesOnly yes\n IdentityFile ${key('ed25519')}\n` },
  },
  {
    name: 'IdentityAgent of ssh_config',
    config: ({ key }) => `IdentityAgent ${key('agent.socket')}\n`,
    give: () => ({ useAgent: true }),
    root: null,
  },
  {
    name: 'an agent that is not there',
    give: () => ({ useAgent: true }),
    fails: () => ({
      code: 'SSH_KEY_UNUSABLE',
      what: 'There is no ssh-agent.',
      why: 'SSH_AUTH_SOCK is not set for Flotilla.',
      next: 'Start Flotilla from a session with an agent, or choose a key file or a password.',
    }),
    then: { agent: ({ key }) => key('agent.socket'), root: null },
  },
]

/** PAM asks for the password, then for a code, as on hosts with google-authenticator. */
const TWO_FACTORS = {
  sshd: ['UsePAM yes', 'PasswordAuthentication no', 'KbdInteractiveAuthentication yes', 'AuthenticationMethods keyboard-interactive'],
  prepare: `cp /etc/pam.d/sshd /root/pam-sshd
printf 'auth required pam_unix.so\\nauth required pam_google_authenticator.so\\naccount required pam_permit.so\\n' > /etc/pam.d/sshd
printf 'NRQWELLTMVRXEZLUFUYDCMRT\\n" WINDOW_SIZE 17\\n" TOTP_AUTH\\n' > /home/ana/.google_authenticator
chown ana: /home/ana/.google_authenticator; chmod 400 /home/ana/.google_authenticator`,
  clear: 'cp /root/pam-sshd /etc/pam.d/sshd; rm /home/ana/.google_authenticator',
}

/** RFC 6238, of that secret. */
function oneTimeCode(): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(systemClock.now() / 30_000)))
  const mac = createHmac('sha1', 'lab-secret-0123').update(counter).digest()
  const at = (mac.at(-1) ?? 0) & 15
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

const questions = { sshd: ['UsePAM yes', 'PasswordAuthentication no', 'KbdInteractiveAuthentication yes'], root: null }

const passwords: Row[] = [
  { name: 'a password', give: () => ({ password: PASSWORD }), root: 'sudo with password' },
  {
    name: 'a password that is wrong',
    give: () => ({ password: 'wrong' }),
    root: null,
    fails: (trial) => refused(trial, 'It refused the password. It accepts publickey, password.', 'Check the user name and the password.'),
    then: { give: () => ({ password: PASSWORD }) },
  },
  {
    name: 'a password where only keys are taken',
    sshd: ['PasswordAuthentication no'],
    give: () => ({ password: PASSWORD }),
    root: null,
    fails: (trial) =>
      refused(
        trial,
        'Nothing that was given could be tried. It accepts publickey.',
        'Use a key file or your ssh-agent: this host takes no passwords.',
      ),
    then: byKey('ed25519'),
  },
  { ...questions, name: 'a password that is asked for by keyboard-interactive', give: () => ({ password: PASSWORD }) },
  {
    ...TWO_FACTORS,
    name: 'a one-time code beside the password',
    root: null,
    give: () => ({ password: PASSWORD }),
    fails: (trial) =>
      refused(
        trial,
        'It refused the password. It accepts keyboard-interactive. It also asks: "Verification code".',
        'Use a key or an ssh-agent that needs no second factor, or give a code with: flotilla node add --code',
      ),
    then: { give: () => ({ password: PASSWORD, code: oneTimeCode() }) },
  },
  {
    name: 'a key and a password, both',
    sshd: ['AuthenticationMethods publickey,password'],
    root: 'sudo with password',
    give: ({ key }) => ({ keyFile: key('ed25519') }),
    fails: (trial) =>
      refused(trial, `It took the key ${trial.key('ed25519')} and wants more. It accepts password.`, 'Enter the password too.'),
    then: { give: ({ key }) => ({ keyFile: key('ed25519'), password: PASSWORD }) },
  },
  {
    ...questions,
    name: 'a password that has expired',
    prepare: 'chage -d 0 ana',
    clear: 'chage -d 19000 ana',
    give: () => ({ password: PASSWORD }),
    fails: (trial) =>
      refused(trial, 'The password has expired, and the host wants a new one.', 'Sign in there once with ssh and set a new password.'),
    mend: 'chage -d 19000 ana',
  },
  {
    name: 'a user who may not sign in',
    sshd: ['DenyUsers ana'],
    give: () => ({ password: PASSWORD }),
    root: null,
    fails: (trial) => refused(trial, 'It refused the password. It accepts publickey, password.', 'Check the user name and the password.'),
    then: { user: 'bob', give: () => ({ password: USERS.bob.password }) },
  },
  {
    name: 'root where root may use keys only',
    sshd: ['PermitRootLogin prohibit-password'],
    user: 'root',
    give: () => ({ password: USERS.root.password }),
    root: 'root',
    fails: (trial) =>
      refused(trial, 'It refused the password. It accepts publickey, password.', 'Check the user name and the password.', 'root'),
    then: { give: ({ key }) => ({ keyFile: key('ed25519') }) },
  },
]

export const SIGN_IN: readonly Row[] = [...keys, ...agents, ...passwords]
