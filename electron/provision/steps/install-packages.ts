/** Installing what runs containers from the distribution's packages. */
import { FlotillaError } from '../../base/errors.ts'
import { installCommand, type Requirement } from '../packages.ts'
import { quote } from '../quote.ts'
import type { StepTools } from './step.ts'
import type { Target } from './target.ts'

const TEN_MINUTES = 600_000

/**
 * Installs packages without asking anything and without starting the services that come with them: a containerd of the user's own is
 * as it was before, and one that we caused to be installed does not run. A package manager that is at work is waited for, not cut off.
 */
export async function installPackages(target: Target, missing: readonly Requirement[], tools: StepTools): Promise<void> {
  const manager = target.facts.packageManager
  if (missing.length === 0 || manager === null) return tools.detail('nothing is missing')
  const command = installCommand(manager, missing)
  tools.detail(`installing ${missing.map((requirement) => requirement.name).join(', ')}`)
  const script =
    manager === 'apt-get'
      ? `
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > $policy
  chmod 755 $policy
fi
dpkg --configure -a >/dev/null 2>&1
apt-get -o DPkg::Lock::Timeout=300 update -qq || true
apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends ${packageNames(missing)}`
      : command
  const result = await target.root.exec(`${script} </dev/null`, { signal: tools.signal, timeoutMs: TEN_MINUTES })
  if (result.code !== 0) {
    const said = `${result.stdout}\n${result.stderr}`.trim().split('\n').filter(Boolean)
    const errors = said.filter((line) => /^(E:|Error|error)/.test(line))
    if (said.some((line) => /No space left|not enough (free )?space/i.test(line)))
      throw new FlotillaError('DISK_FULL', {
        what: `Could not install packages on ${target.name}.`,
        why: 'The disk of the machine is full.',
        next: 'Free some space there, then try again.',
      })
    throw new FlotillaError('NO_CONTAINERD', {
      what: `Could not install ${missing.map((requirement) => requirement.name).join(', ')} on ${target.name}.`,
      why: `${manager} said: ${(errors.length ? errors : said).slice(-3).join(' ') || `code ${result.code}`}`,
      next: `Check that the machine reaches its package sources, or run there as root: ${command}`,
    })
  }
  // A containerd that came just now serves nobody: ours is an instance of its own.
  if (missing.some((requirement) => requirement.name === 'containerd'))
    await target.root.exec(`[ ! -d /run/systemd/system ] || systemctl disable -q --now containerd 2>/dev/null`, {
      signal: tools.signal,
      timeoutMs: 60_000,
    })
  tools.detail(`installed ${packageNames(missing)}`)

  function packageNames(requirements: readonly Requirement[]): string {
    return [...new Set(requirements.map((requirement) => quote(requirement.packages[manager as 'apt-get'])))].join(' ')
  }
}
