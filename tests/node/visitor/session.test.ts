import { beforeEach, expect, test } from 'vitest'
import { ApiError, createCall } from '../../../examples/visitor/api'
import { createSession } from '../../../examples/visitor/session'
import type { Memory } from '../../../examples/visitor/storage'
import { BOOTSTRAP, FakeServer, fakeStorage, INIT, REFRESH, refused } from './fakes'

let server: FakeServer
let open: () => Memory

const start = () => createSession(createCall('https://chat.test'), open(), 'wk')
const paths = () => server.requests.map((request) => request.path)

beforeEach(() => {
  server = new FakeServer()
  open = fakeStorage()
  server.on(BOOTSTRAP, () => ({ status: 200, body: {} }))
})

test('the first call begins a session and says where it is', async () => {
  await start().call(BOOTSTRAP)
  expect(paths()).toEqual([INIT, BOOTSTRAP])
  expect(server.to(INIT)[0]?.body).toMatchObject({
    widget_key: 'wk',
    visitor_id: expect.stringMatching(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    ),
    metadata: { page_url: 'https://shop.test/a?b=c', referrer: 'https://search.test/' },
  })
  expect(server.to(BOOTSTRAP)[0]?.token).toBe('token-1')
})

test('a reload uses visitor and token again', async () => {
  await start().call(BOOTSTRAP)
  await start().call(BOOTSTRAP)
  expect(paths()).toEqual([INIT, BOOTSTRAP, BOOTSTRAP])
})

test('calls at the same time share one session', async () => {
  const session = start()
  await Promise.all([session.call(BOOTSTRAP), session.call(BOOTSTRAP)])
  expect(server.to(INIT)).toHaveLength(1)
})

test('a token that ends within five minutes is refreshed before it is used', async () => {
  server.on(INIT, () => server.session(299))
  const session = start()
  await session.call(BOOTSTRAP)
  await session.call(BOOTSTRAP)
  expect(paths()).toEqual([INIT, BOOTSTRAP, REFRESH, BOOTSTRAP])
  expect(server.to(REFRESH)[0]?.body).toEqual({ session_token: 'token-1' })
})

test('after a 401 the token is refreshed and the call made once more', async () => {
  const session = start()
  await session.call(BOOTSTRAP)
  server.on(BOOTSTRAP, ({ token }) =>
    token === 'token-2' ? { status: 200, body: { ok: true } } : refused(401, 'UNAUTHORIZED'),
  )
  expect(await session.call(BOOTSTRAP)).toEqual({ ok: true })
  expect(paths().slice(2)).toEqual([BOOTSTRAP, REFRESH, BOOTSTRAP])
})

test('a session that is gone is begun anew, with the same visitor', async () => {
  const session = start()
  await session.call(BOOTSTRAP)
  server.on(REFRESH, () => refused(401, 'UNAUTHORIZED'))
  server.on(BOOTSTRAP, ({ token }) =>
    token === 'token-2' ? { status: 200, body: {} } : refused(401, 'UNAUTHORIZED'),
  )
  await session.call(BOOTSTRAP)
  const [first, second] = server.to(INIT)
  expect(second?.body.visitor_id).toBe(first?.body.visitor_id)
})

test('a second 401 is the answer', async () => {
  server.on(BOOTSTRAP, () => refused(401, 'UNAUTHORIZED'))
  await expect(start().call(BOOTSTRAP)).rejects.toMatchObject({ status: 401 })
  expect(server.to(BOOTSTRAP)).toHaveLength(2)
})

test('a refresh that does not arrive costs no session', async () => {
  server.on(INIT, () => server.session(10))
  const session = start()
  await session.call(BOOTSTRAP)
  server.on(REFRESH, () => 'offline')
  await expect(session.call(BOOTSTRAP)).rejects.toMatchObject({
    code: 'NO_CONNECTION',
    isTemporary: true,
  })
  expect(server.to(INIT)).toHaveLength(1)
})

test('a token that another tab has renewed is used', async () => {
  const session = start()
  await session.call(BOOTSTRAP)
  server.on(BOOTSTRAP, ({ token }) => {
    if (token === 'other-tab') return { status: 200, body: {} }
    open().set('session_token', 'other-tab')
    return refused(401, 'UNAUTHORIZED')
  })
  await session.call(BOOTSTRAP)
  expect(server.to(REFRESH)).toEqual([])
})

test('a refusal is the answer', async () => {
  server.on(INIT, () => refused(403, 'ORIGIN_NOT_ALLOWED'))
  const error = await start()
    .call(BOOTSTRAP)
    .catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ApiError)
  expect(error).toMatchObject({ status: 403, code: 'ORIGIN_NOT_ALLOWED', isTemporary: false })
  expect(paths()).toEqual([INIT])
})
