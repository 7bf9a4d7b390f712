import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, decoded, row, stored } from '../../testing/rules.ts'
import { networkPolicy } from './network-policy.ts'

const ingress = (more: Loose): Loose => ({ podSelector: {}, ingress: [more] })
const AT = 'spec.ingress[0]'

describe('a network policy', () => {
  it.each<[spec: Loose, types: string[]]>([
    [{}, ['Ingress']],
    [{ ingress: [{}] }, ['Ingress']],
    [{ egress: [{}] }, ['Ingress', 'Egress']],
    [{ egress: [{}], policyTypes: ['Egress'] }, ['Egress']],
  ])('%j is for %j', (spec, types) => {
    expect(decoded(networkPolicy, { spec: { podSelector: {}, ...spec } }).spec.policyTypes).toEqual(types)
  })

  it('is for TCP', () => {
    const ports = [{ port: 80 }, { port: 53, protocol: 'UDP' }]
    const { spec } = decoded(networkPolicy, { spec: { podSelector: {}, egress: [{ ports }] } })
    expect(spec.egress?.[0]?.ports?.map(({ protocol }) => protocol)).toEqual(['TCP', 'UDP'])
  })

  it.each<[what: string, spec: Loose, errors: string[]]>([
    ['of everything', { podSelector: {} }, []],
    [
      'of ports and peers',
      ingress({
        ports: [{ port: 'http' }, { port: 80, endPort: 90 }, {}],
        from: [{ podSelector: {}, namespaceSelector: {} }, { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }],
      }),
      [],
    ],
    [
      'of ports that are none',
      ingress({ ports: [{ port: 0, protocol: 'ICMP' }, { port: 'UPPER' }] }),
      [
        `${AT}.ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"`,
        `${AT}.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive`,
        `${AT}.ports[1].port: Invalid value: "UPPER": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`,
        `${AT}.ports[1].port: Invalid value: "UPPER": must contain at least one letter (a-z)`,
      ],
    ],
    [
      'of ranges without an end or a beginning',
      ingress({ ports: [{ port: 80, endPort: 79 }, { endPort: 80 }, { port: 'http', endPort: 80 }] }),
      [
        `${AT}.ports[0].endPort: Invalid value: 80: must be greater than or equal to \`port\``,
        `${AT}.ports[1].endPort: Invalid value: 80: may not be specified when \`port\` is not specified`,
        `${AT}.ports[2].endPort: Invalid value: 80: may not be specified when \`port\` is non-numeric`,
      ],
    ],
    ['of nobody', ingress({ from: [{}] }), [`${AT}.from[0]: Required value: must specify a peer`]],
    [
      'of pods by their addresses',
      ingress({ from: [{ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }] }),
      [`${AT}.from[0]: Forbidden: may not specify both ipBlock and another peer`],
    ],
    [
      'of blocks that are none',
      ingress({ from: [{ ipBlock: { cidr: '' } }, { ipBlock: { cidr: '10.0.0.0' } }] }),
      [
        `${AT}.from[0].ipBlock.cidr: Required value`,
        `${AT}.from[1].ipBlock.cidr: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`,
      ],
    ],
    [
      'of blocks without what is not in them',
      ingress({ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8', '192.0.2.0/24'] } }] }),
      [
        `${AT}.from[0].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of \`cidr\``,
        `${AT}.from[0].ipBlock.except[1]: Invalid value: "192.0.2.0/24": must be a strict subset of \`cidr\``,
      ],
    ],
    [
      'of types that do not exist',
      { podSelector: {}, policyTypes: ['Ingress', 'Both'] },
      ['spec.policyTypes[1]: Unsupported value: "Both": supported values: "Ingress", "Egress"'],
    ],
    [
      'of too many types',
      { podSelector: {}, policyTypes: ['Ingress', 'Egress', 'Ingress'] },
      ['spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes'],
    ],
  ])('%s', (_, spec, errors) => {
    expect(created(networkPolicy, { spec }).errors).toEqual(errors)
  })

  it('is shown with its pods', () => {
    const object = stored(networkPolicy, { spec: { podSelector: { matchLabels: { app: 'web' } } } })
    expect(row(networkPolicy, object)).toEqual({ 'Pod-Selector': 'app=web', Age: '60m' })
  })
})
