/** Put in place by the build: the version of the product. */
declare const FLOTILLA_VERSION: string | undefined

/** What the node tells as its kubelet's version: that of the API that it follows, and the product's own. */
export const AGENT_VERSION = `v1.36.4+flotilla.${typeof FLOTILLA_VERSION === 'string' ? FLOTILLA_VERSION : 'dev'}`
