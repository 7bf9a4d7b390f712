import { describe, expect, it } from 'vitest'
import { parseChains, removals } from './portmap-chains.ts'

const CLUSTER = '10.244.0.0/16'

/** As `nft -a list table ip nat` prints it. */
const listing = (...pods: { chain: string; address: string }[]) => `table ip nat { # handle 1
	chain CNI-HOSTPORT-SETMARK { # handle 2
		counter packets 0 bytes 0 meta mark set mark or 0x2000 # handle 3
	}

	chain CNI-HOSTPORT-MASQ { # handle 4
		meta mark & 0x00002000 == 0x00002000 counter packets 0 bytes 0 masquerade # handle 5
	}

	chain POSTROUTING { # handle 6
		type nat hook postrouting priority srcnat; policy accept;
		counter packets 0 bytes 0 jump CNI-HOSTPORT-MASQ # handle 7
	}

	chain CNI-HOSTPORT-DNAT { # handle 8
${pods.map(({ chain }, i) => `		meta l4proto tcp counter packets 0 bytes 0 jump ${chain} # handle ${20 + i}`).join('\n')}
	}

	chain PREROUTING { # handle 9
		type nat hook prerouting priority dstnat; policy accept;
		fib daddr type local counter packets 0 bytes 0 jump CNI-HOSTPORT-DNAT # handle 10
	}
${pods.map(({ chain, address }, i) => `	chain ${chain} { # handle ${40 + i}\n		tcp dport 8088 counter packets 0 bytes 0 dnat to ${address}:8080 # handle ${60 + i}\n	}`).join('\n')}
}
`
const ours = { chain: 'CNI-DN-aaaaaaaaaaaaaaaaaaaaa', address: '10.244.2.7' }
const foreign = { chain: 'CNI-DN-bbbbbbbbbbbbbbbbbbbbb', address: '10.88.0.5' }

describe('what portmap leaves', () => {
  it('is read with the handles of its rules', () => {
    const chains = parseChains(listing(ours))
    expect(chains.get('CNI-HOSTPORT-DNAT')?.[0]?.handle).toBe('20')
    expect(chains.get(ours.chain)?.[0]?.text).toMatch('dnat to 10.244.2.7:8080')
  })

  it('goes with its table where nobody else uses it', () => {
    expect(removals('ip', parseChains(listing(ours)), CLUSTER)).toEqual(['delete table ip nat'])
    expect(removals('ip', parseChains(listing()), CLUSTER)).toEqual(['delete table ip nat'])
  })

  it('stays for another user of the plugin, but for our pods’ chains', () => {
    expect(removals('ip', parseChains(listing(ours, foreign)), CLUSTER)).toEqual([
      'delete rule ip nat CNI-HOSTPORT-DNAT handle 20',
      `flush chain ip nat ${ours.chain}`,
      `delete chain ip nat ${ours.chain}`,
    ])
  })

  it('is left alone where nothing of it is ours', () => {
    expect(removals('ip', parseChains(listing(foreign)), CLUSTER)).toEqual([])
  })

  it('goes without the table of somebody who has rules of his own there', () => {
    const own = listing(ours).replace('	chain PREROUTING {', '	chain DOCKER { # handle 90\n		return # handle 91\n	}\n\n	chain PREROUTING {')
    const lines = removals('ip', parseChains(own), CLUSTER)
    expect(lines).not.toContain('delete table ip nat')
    expect(lines).toContain('delete rule ip nat POSTROUTING handle 7')
    expect(lines).toContain('delete chain ip nat CNI-HOSTPORT-SETMARK')
    expect(lines.join('\n')).not.toMatch('DOCKER')
  })
})
