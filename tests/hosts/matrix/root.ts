/** Becoming root, and login shells that are not as one expects. */
import { USERS } from '../lab/base-root.ts'
import type { Expected, Row, Trial } from './row.ts'

const ana = USERS.ana.password
const cannot = (trial: Trial, user: string, why: string, next: string): Expected => ({
  code: 'NO_SUDO',
  what: `${user} cannot act as root on ${trial.host.address}.`,
  why,
  next,
})

/** sudoers for ana as this row wants them, in place of the usual. */
const sudoers = (...lines: string[]) => ({
  prepare: `cp -p /etc/sudoers.d/lab /root/lab-sudoers; printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} > /etc/sudoers.d/lab`,
  clear: 'cp -p /root/lab-sudoers /etc/sudoers.d/lab',
})
const FREE = 'ana ALL=(ALL:ALL) NOPASSWD: ALL'
const ASKED = 'ana ALL=(ALL:ALL) ALL'
const withPassword: Pick<Row, 'give' | 'root'> = {
  give: ({ key }) => ({ keyFile: key('ed25519'), sudoPassword: ana }),
  root: 'sudo with password',
}

const doas = (line: string) => ({
  prepare: `mv /usr/bin/sudo /usr/bin/sudo.off; printf '%s\\n' '${line}' > /etc/doas.conf; chmod 600 /etc/doas.conf`,
  clear: 'mv /usr/bin/sudo.off /usr/bin/sudo; rm /etc/doas.conf',
})

export const ROOT: readonly Row[] = [
  { name: 'root itself', user: 'root', root: 'root' },
  { name: 'sudo without a password', user: 'bob', root: 'sudo' },
  {
    name: 'sudo with a password, first without it',
    root: 'sudo with password',
    fails: (trial) => cannot(trial, 'ana', 'sudo asks for a password, and none was given.', 'Enter the sudo password.'),
    then: withPassword,
  },
  {
    name: 'sudo with a password, first a wrong one',
    give: ({ key }) => ({ keyFile: key('ed25519'), sudoPassword: 'wrong' }),
    fails: (trial) => cannot(trial, 'ana', 'sudo refused the password.', 'Enter the sudo password again: it is the one of this user.'),
    then: withPassword,
  },
  { ...withPassword, name: 'sudo that lectures and uses a terminal of its own', ...sudoers('Defaults lecture=always,use_pty', ASKED) },
  { name: 'sudo with requiretty', root: 'sudo', ...sudoers('Defaults requiretty', FREE) },
  { ...withPassword, name: 'sudo with requiretty and a password', ...sudoers('Defaults requiretty', ASKED) },
  {
    name: 'sudo with requiretty and a wrong password',
    ...sudoers('Defaults requiretty', ASKED),
    give: ({ key }) => ({ keyFile: key('ed25519'), sudoPassword: 'wrong' }),
    fails: (trial) => cannot(trial, 'ana', 'sudo refused the password.', 'Enter the sudo password again: it is the one of this user.'),
    then: withPassword,
  },
  {
    name: 'a user who is not in sudoers',
    user: 'eve',
    give: ({ key }) => ({ keyFile: key('ed25519'), sudoPassword: USERS.eve.password }),
    root: 'sudo',
    fails: (trial) =>
      cannot(
        trial,
        'eve',
        'sudo does not allow this user to run commands as root.',
        'Sign in as another user, or as root run: usermod -aG sudo eve (or wheel, where that is the group).',
      ),
    mend: `echo 'eve ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/eve`,
    clear: 'rm /etc/sudoers.d/eve',
  },
  {
    name: 'neither sudo nor doas',
    user: 'bob',
    prepare: 'mv /usr/bin/sudo /usr/bin/sudo.off; mv /usr/bin/doas /usr/bin/doas.off',
    clear: 'mv /usr/bin/doas.off /usr/bin/doas',
    root: 'sudo',
    fails: (trial) =>
      cannot(trial, 'bob', 'The user is not root, and neither sudo nor doas is installed there.', 'Sign in as root, or install sudo.'),
    mend: 'mv /usr/bin/sudo.off /usr/bin/sudo',
  },
  { name: 'doas without a password', root: 'doas', ...doas('permit nopass ana') },
  {
    name: 'doas with a password',
    ...doas('permit ana'),
    give: ({ key }) => ({ keyFile: key('ed25519'), sudoPassword: ana }),
    root: 'doas with password',
  },
  {
    name: 'doas with a wrong password',
    ...doas('permit ana'),
    give: ({ key }) => ({ keyFile: key('ed25519'), sudoPassword: 'wrong' }),
    root: 'doas with password',
    fails: (trial) => cannot(trial, 'ana', 'doas refused the password.', 'Enter the password again: it is the one of this user.'),
    then: { give: ({ key }) => ({ keyFile: key('ed25519'), sudoPassword: ana }) },
  },
  {
    name: 'doas that does not permit it',
    ...doas('permit nopass bob'),
    root: 'doas',
    fails: (trial) =>
      cannot(trial, 'ana', 'doas does not allow this user to run commands as root.', 'As root add to /etc/doas.conf: permit ana'),
    mend: `echo 'permit nopass ana' >> /etc/doas.conf`,
  },
]

/** bob, with another login shell. */
const shell = (path: string, more = ''): Pick<Row, 'prepare' | 'clear' | 'user'> => ({
  user: 'bob',
  prepare: `usermod -s ${path} bob; ${more}`,
  clear: 'usermod -s /bin/bash bob; rm -f /home/bob/.bashrc.off; rm -rf /home/bob/.config /home/bob/.cshrc',
})
const noCommands = (trial: Trial, said: string): Expected => ({
  code: 'REMOTE_COMMAND_FAILED',
  what: `bob can sign in to ${trial.host.address} but not run commands there.`,
  why: `Its login shell said: ${said}`,
  next: 'Give the user a login shell (chsh -s /bin/sh bob) and lift a ForceCommand, or sign in as another user.',
})

export const SHELLS: readonly Row[] = [
  { name: 'fish', ...shell('/usr/bin/fish') },
  { name: 'tcsh', ...shell('/bin/tcsh', `echo 'set histchars; echo welcome' > /home/bob/.cshrc`) },
  { name: 'csh with history', ...shell('/bin/tcsh') },
  { name: 'dash', ...shell('/bin/dash') },
  {
    name: 'a .bashrc that talks, on both outputs',
    user: 'bob',
    prepare: `cp /home/bob/.bashrc /root/bob-bashrc; printf 'echo Welcome to the fleet; echo 0; echo noise >&2\\n' > /home/bob/.bashrc`,
    clear: 'cp /root/bob-bashrc /home/bob/.bashrc',
  },
  {
    name: 'a banner and a message of the day',
    user: 'bob',
    sshd: ['Banner /root/banner', 'PrintMotd yes'],
    prepare: `yes 'All your actions are recorded.' | head -n 200 > /root/banner; cp /root/banner /etc/motd`,
    clear: 'rm /root/banner; : > /etc/motd',
  },
  {
    name: 'nologin',
    ...shell('/usr/sbin/nologin'),
    fails: (trial) => noCommands(trial, 'This account is currently not available.'),
    mend: 'usermod -s /bin/bash bob',
  },
  {
    name: 'a ForceCommand',
    user: 'bob',
    sshd: ['ForceCommand echo "Only backups here."'],
    fails: (trial) => noCommands(trial, 'Only backups here.'),
    mend: `sed -i '/ForceCommand/d' $CONF; kill -HUP $(cat $PID); sleep 0.3`,
  },
  {
    name: 'a home folder that is not there',
    user: 'bob',
    prepare: 'mv /home/bob /home/bob.off',
    clear: 'mv /home/bob.off /home/bob',
    give: () => ({ password: USERS.bob.password }),
  },
]
