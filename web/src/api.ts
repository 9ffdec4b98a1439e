// Calls of the Brain's API from its own pages. What is refused is said in the three fields that every error has.
import { csrfToken } from './csrf'

export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly nextStep: string,
    readonly retryAfterS: number | null = null,
  ) {
    super(message)
  }
}

export async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (method !== 'GET') headers['X-CSRF-Token'] = csrfToken()
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const response = await fetch(path, {
    method,
    headers,
    credentials: 'same-origin',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  })
  if (!response.ok) throw await refusalOf(response)
  return (response.status === 204 ? undefined : await response.json()) as T
}

async function refusalOf(response: Response): Promise<Refusal> {
  const said = (await response.json().catch(() => ({}))) as Partial<Record<'code' | 'message' | 'next_step', string>>
  const wait = Number(response.headers.get('Retry-After') ?? Number.NaN)
  return new Refusal(
    response.status,
    said.code ?? `http_${response.status}`,
    said.message ?? `The server answered ${response.status}.`,
    said.next_step ?? 'Try again.',
    Number.isFinite(wait) ? wait : null,
  )
}
