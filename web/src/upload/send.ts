// A file goes to a unit's storage: a few parts at once, each with its SHA-256, tried again with patience, from where it
// stopped the last time. The storage, the API, chance and time are given, so that tests can stand in for them.
import { Refusal } from '../api'

export interface Part {
  readonly number: number
  readonly sha256: string
}
export interface Link {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
}
/** The Brain, as far as an upload needs it. */
export interface Desk {
  arrived(): Promise<{ part_size_bytes: number; parts: readonly Part[] }>
  sign(number: number, sha256: string): Promise<Link>
  complete(): Promise<void>
}
export type Put = (link: Link, content: Blob, tell: (sent: number) => void, signal: AbortSignal) => Promise<number>
export interface Surroundings {
  put: Put
  pause(ms: number, signal: AbortSignal): Promise<void>
}
export interface Order {
  readonly content: Blob
  readonly desk: Desk
  readonly surroundings: Surroundings
  readonly signal: AbortSignal
  readonly nAtOnce?: number
  tell(sent: number, total: number): void
}

const MAX_TRIES = 8
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** Answers after which the same part may be sent once more; 403: the link has expired. */
const PASSING = new Set([0, 400, 403, 408, 429, 500, 502, 503, 504])

export async function send(order: Order): Promise<void> {
  const { content, desk, signal } = order
  const { part_size_bytes: partSize, parts } = await desk.arrived()
  const arrived = new Map(parts.map((part) => [part.number, part.sha256]))
  const nParts = Math.max(1, Math.ceil(content.size / partSize))
  const sent = new Array<number>(nParts).fill(0)
  const tell = (index: number, n: number): void => {
    sent[index] = n
    order.tell(
      sent.reduce((sum, each) => sum + each, 0),
      content.size,
    )
  }
  const waiting = Array.from({ length: nParts }, (_, index) => index)
  const stop = new AbortController()
  const ended = AbortSignal.any([signal, stop.signal])

  const work = async (): Promise<void> => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      ended.throwIfAborted()
      const part = content.slice(index * partSize, (index + 1) * partSize)
      const sha256 = await digest(part)
      if (arrived.get(index + 1) !== sha256) {
        const place = index
        await sendPart(order, index + 1, part, sha256, (n) => tell(place, n), ended)
      }
      tell(index, part.size)
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(order.nAtOnce ?? 4, nParts) }, work))
  } catch (error) {
    stop.abort(error)
    throw error
  }
  await desk.complete()
}

async function sendPart(
  order: Order,
  number: number,
  part: Blob,
  sha256: string,
  tell: (n: number) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    signal.throwIfAborted()
    const failure = await tryPart(order, number, part, sha256, tell, signal)
    if (failure === null) return
    tell(0)
    if (!PASSING.has(failure.status) || tries === MAX_TRIES) throw failure
    const doubled = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS)
    await order.surroundings.pause(failure.retryAfterS === null ? doubled : failure.retryAfterS * 1000, signal)
  }
}

async function tryPart(
  order: Order,
  number: number,
  part: Blob,
  sha256: string,
  tell: (n: number) => void,
  signal: AbortSignal,
): Promise<Refusal | null> {
  let status: number
  try {
    const link = await order.desk.sign(number, sha256)
    status = await order.surroundings.put(link, part, tell, signal)
  } catch (error) {
    if (signal.aborted) throw error
    if (error instanceof Refusal) return error
    status = 0
  }
  if (status >= 200 && status < 300) return null
  const message = status === 0 ? 'The connection to the storage was lost.' : `The storage answered ${status}.`
  return new Refusal(status, 'transfer_failed', message, 'Choose the same file again: the upload goes on where it stopped.')
}

/** The SHA-256 of some bytes, in base64. */
export async function digest(content: Blob): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', await content.arrayBuffer()))
  return btoa(String.fromCharCode(...bytes))
}
