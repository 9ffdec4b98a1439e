import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '../src/api'
import { digest, send, type Desk, type Link, type Part, type Put } from '../src/upload/send'

const PART_SIZE = 4

class Storage implements Desk {
  readonly held = new Map<number, { sha256: string; text: string }>()
  readonly pauses: number[] = []
  nPuts = 0
  isComplete = false
  answers: (number: number, nth: number) => number = () => 200
  atOnce = 0
  mostAtOnce = 0

  async arrived(): Promise<{ part_size_bytes: number; parts: Part[] }> {
    return {
      part_size_bytes: PART_SIZE,
      parts: [...this.held].map(([number, { sha256 }]) => ({ number, sha256 })),
    }
  }
  async sign(number: number, sha256: string): Promise<Link> {
    return { method: 'PUT', url: String(number), headers: { sha256 } }
  }
  async complete(): Promise<void> {
    this.isComplete = true
  }
  put: Put = async (link, content, tell) => {
    this.nPuts += 1
    this.atOnce += 1
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce)
    const number = Number(link.url)
    const status = this.answers(number, this.nPuts)
    tell(content.size)
    const text = await content.text()
    if (status === 200) this.held.set(number, { sha256: link.headers['sha256'] ?? '', text })
    this.atOnce -= 1
    return status
  }
  pause = async (ms: number): Promise<void> => {
    this.pauses.push(ms)
  }
  text(): string {
    return [...this.held].sort(([a], [b]) => a - b).map(([, part]) => part.text).join('')
  }
}

function sending(storage: Storage, text: string, signal = new AbortController().signal) {
  const told: number[] = []
  const done = send({
    content: new Blob([text]),
    desk: storage,
    surroundings: storage,
    signal,
    tell: (sent) => told.push(sent),
  })
  return { told, done }
}

test('a file arrives whole, in parts, and is completed after the last', async () => {
  const storage = new Storage()
  const { told, done } = sending(storage, 'raw data of a scan')
  await done
  assert.equal(storage.text(), 'raw data of a scan')
  assert.equal(storage.held.size, 5)
  assert.equal(told.at(-1), 18)
  assert.ok(storage.isComplete)
  assert.ok(storage.mostAtOnce <= 4)
})

test('an empty file is one empty part', async () => {
  const storage = new Storage()
  await sending(storage, '').done
  assert.equal(storage.nPuts, 1)
  assert.ok(storage.isComplete)
})

test('what has arrived is not sent again, unless its bytes differ', async () => {
  const storage = new Storage()
  storage.held.set(1, { sha256: await digest(new Blob(['raw '])), text: 'raw ' })
  storage.held.set(2, { sha256: await digest(new Blob(['DATA'])), text: 'DATA' })
  await sending(storage, 'raw data').done
  assert.equal(storage.nPuts, 1)
  assert.equal(storage.text(), 'raw data')
})

test('a lost connection and an expired link are tried again, with longer and longer pauses', async () => {
  const storage = new Storage()
  storage.answers = (_number, nth) => ([0, 403, 503][nth - 1] ?? 200)
  const { told, done } = sending(storage, 'raw')
  await done
  assert.deepEqual(storage.pauses, [500, 1000, 2000])
  assert.equal(storage.text(), 'raw')
  assert.ok(told.includes(0), 'what left in vain is taken back')
})

test('what will not get better is not tried again', async () => {
  const storage = new Storage()
  storage.answers = () => 404
  await assert.rejects(sending(storage, 'raw').done, (error) => error instanceof Refusal && error.status === 404)
  assert.equal(storage.nPuts, 1)
  assert.ok(!storage.isComplete)
})

test('patience ends', async () => {
  const storage = new Storage()
  storage.answers = () => 503
  await assert.rejects(sending(storage, 'raw').done, /The storage answered 503/)
  assert.equal(storage.nPuts, 8)
})

test('a person can stop it', async () => {
  const storage = new Storage()
  const stop = new AbortController()
  storage.answers = (number) => {
    if (number === 2) stop.abort(new Error('paused'))
    return 200
  }
  await assert.rejects(sending(storage, 'x'.repeat(100), stop.signal).done, /paused/)
  assert.ok(!storage.isComplete)
  assert.ok(storage.nPuts < 25)
})
