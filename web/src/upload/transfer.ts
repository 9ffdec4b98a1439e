// The real way to a storage: XMLHttpRequest, because fetch does not tell how much has left.
import type { Link, Surroundings } from './send'

export const browser: Surroundings = { put, pause }

function put(link: Link, content: Blob, tell: (sent: number) => void, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open(link.method, link.url)
    for (const [name, value] of Object.entries(link.headers)) {
      if (name.toLowerCase() !== 'content-length') request.setRequestHeader(name, value)
    }
    const abort = (): void => request.abort()
    request.upload.onprogress = (event) => tell(event.loaded)
    request.onload = () => resolve(request.status)
    request.onerror = () => resolve(0)
    request.onabort = () => reject(signal.reason)
    request.onloadend = () => signal.removeEventListener('abort', abort)
    signal.addEventListener('abort', abort, { once: true })
    request.send(content)
  })
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal.addEventListener('abort', stop, { once: true })
  })
}
