// Small rules of the wire.
export const DEFAULT_SCOPE = 'global'
export const DEFAULT_VERSION = '1'

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms))
